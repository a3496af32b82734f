import { describe, expect, test } from "vitest";
import { StderrTail } from "./stderr-tail.ts";

function tailOf(chunks: readonly string[], secrets: readonly string[] = []): readonly string[] {
  const tail = new StderrTail(secrets);
  for (const chunk of chunks) tail.push(Buffer.from(chunk));
  return tail.lines();
}

describe("StderrTail", () => {
  test("keeps the last twenty lines, the unfinished one included", () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    expect(tailOf([lines.join("\n")])).toEqual(lines.slice(-20));
    expect(tailOf(lines.map((line) => `${line}\r\n`))).toEqual(lines.slice(-20));
  });

  test("drops empty lines and cuts long ones", () => {
    expect(tailOf(["a\n\n \nb\n"])).toEqual(["a", "b"]);
    expect(tailOf([`${"x".repeat(5_000)}\n`])[0]).toHaveLength(1_001);
  });

  test("stays small without any end of line", () => {
    const [line] = tailOf(Array.from({ length: 1_000 }, () => "x".repeat(10_000)));
    expect(line).toHaveLength(1_001);
  });

  test("hides secrets, also in two chunks, also those of several lines, and the longest first", () => {
    const secrets = ["abcdef", "abcdefghi", "first line\nsecond line"];
    expect(tailOf(["key abc", "defghi!\nfirst line\nsecond line\n"], secrets)).toEqual([
      "key [redacted]!",
      "[redacted]",
      "[redacted]",
    ]);
  });

  test("takes short values for no secrets", () => {
    expect(tailOf(["true 1 info\n"], ["true", "1", "info"])).toEqual(["true 1 info"]);
  });
});
