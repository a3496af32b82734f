const FACTORS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const TIME = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|sec|m|min|h|d)\s*$/;

/** The form of a time with a unit, for the JSON Schema. */
export const TIME_PATTERN: string = TIME.source;

/** Reads a time with a unit, such as `30s` or `500 ms`, as milliseconds; returns `undefined` for anything else. */
export function parseTime(text: string): number | undefined {
  const [, amount = "", unit = ""] = TIME.exec(text) ?? [];
  const factor = FACTORS[unit];
  return factor === undefined ? undefined : rounded(Number(amount) * factor);
}

/** Turns seconds into milliseconds. */
export function secondsToMs(seconds: number): number {
  return rounded(seconds * 1_000);
}

/** Takes away what binary fractions add: 0.07 s are 70 ms. */
function rounded(milliseconds: number): number {
  return Number.isFinite(milliseconds) ? Math.round(milliseconds * 1e6) / 1e6 : milliseconds;
}
