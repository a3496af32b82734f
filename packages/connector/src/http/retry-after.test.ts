import { expect, test } from "vitest";
import { retryAfterMsOf } from "./retry-after.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");

test.each([
  ["0", 0],
  ["120", 120_000],
  ["1.5", 1_500],
  [" 3 ", 3_000],
  ["Sun, 22 Nov 2026 10:00:30 GMT", 30_000],
  ["Sun, 22 Nov 2026 09:00:00 GMT", 0],
  ["soon", undefined],
  ["-5", undefined],
  ["", undefined],
])("reads Retry-After %j as %s ms", (value, expected) => {
  expect(retryAfterMsOf(value, NOW)).toBe(expected);
});

test("knows no delay without the header", () => {
  expect(retryAfterMsOf(undefined, NOW)).toBeUndefined();
});
