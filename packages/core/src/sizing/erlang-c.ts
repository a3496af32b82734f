/**
 * Returns the share of calls that find all room taken, by Erlang's formula C; 1 when more comes in than goes out.
 * Computed by way of formula B and its recursion, which neither overflows nor loses digits.
 * @param load calls in flight on average @param room calls that can be in flight
 */
export function waitingOf(load: number, room: number): number {
  if (load >= room) return 1;
  let blocked = 1;
  for (let servers = 1; servers <= room; servers++) blocked = (load * blocked) / (servers + load * blocked);
  return blocked / (1 - (load / room) * (1 - blocked));
}
