import { describe, expect, it } from "vitest";
import { ConnectionEntry } from "./connection-entry.ts";
import { type FastLane, lend, takeBack } from "./fast-lane.ts";
import { FakeClock, ScriptedConnector } from "./testing/index.ts";

const clock = new FakeClock();
const request = { serverName: "a", identity: undefined, signal: new AbortController().signal, timeoutMs: 1_000 };
const connection = await new ScriptedConnector({ clock }).connect(request);

function laneWith(room: number) {
  const entry = new ConnectionEntry(1, connection, room, 0, 0);
  const lane: FastLane & { readonly clock: FakeClock } = { next: entry, lent: undefined, clock };
  return { entry, lane };
}

describe("the fast lane", () => {
  it.each([
    [1, "busy"],
    [2, "ready"],
  ])("with a room of %i has what it lends %s, counts the use, and has it back as it was", (room, state) => {
    const { entry, lane } = laneWith(room);
    lend(lane, entry);
    expect(lane).toMatchObject({ next: undefined, lent: entry });
    expect(entry).toMatchObject({ state, inFlight: 1, uses: 1 });
    expect(takeBack(lane, entry)).toBe(true);
    expect(lane).toMatchObject({ next: entry, lent: undefined });
    expect(entry).toMatchObject({ state: "ready", inFlight: 0, uses: 1 });
  });

  it("says since when what it has back is idle", async () => {
    const { entry, lane } = laneWith(1);
    lend(lane, entry);
    await clock.advance(1_000);
    takeBack(lane, entry);
    expect(entry.idleSince).toBe(clock.now());
  });

  it("takes nothing back that is booked by now, or that has got a key", () => {
    const { entry, lane } = laneWith(1);
    lend(lane, entry);
    entry.stickyKey = "a";
    expect(takeBack(lane, entry)).toBe(false);
    entry.stickyKey = undefined;
    lane.lent = undefined;
    expect(takeBack(lane, entry)).toBe(false);
    expect(entry).toMatchObject({ state: "busy", inFlight: 1 });
  });
});
