import { describe, expect, test } from "vitest";
import { LineReader } from "./line-reader.ts";

function read(
  chunks: readonly (string | Buffer)[],
  maxBytes = 100,
): { readonly lines: string[]; readonly isWell: boolean } {
  const lines: string[] = [];
  const reader = new LineReader(maxBytes, (line) => lines.push(line));
  return { isWell: chunks.map((chunk) => reader.push(Buffer.from(chunk))).every(Boolean), lines };
}

describe("LineReader", () => {
  test.each([
    ["several lines in one chunk", ["a\nb\n"], ["a", "b"]],
    ["one line in several chunks", ["a", "b", "c\n"], ["abc"]],
    ["an end of line that comes alone", ["a", "\n", "b\n"], ["a", "b"]],
    ["line ends of Windows, torn apart", ["a\r\nb\r", "\n"], ["a", "b"]],
    ["empty lines", ["\n\r\n"], ["", ""]],
    ["an unfinished line", ["a\nb"], ["a"]],
    ["a character in two chunks", [Buffer.from([0xc3]), Buffer.from([0xa4, 0x0a])], ["ä"]],
  ])("reads %s", (_, chunks, lines) => {
    expect(read(chunks)).toEqual({ lines, isWell: true });
  });

  test("takes a line of exactly the longest length, and none that is longer", () => {
    expect(read(["xxx", "xx\n"], 5)).toEqual({ lines: ["xxxxx"], isWell: true });
    expect(read(["xxx", "xxx\n"], 5)).toEqual({ lines: [], isWell: false });
    expect(read(["ok\n", "xxxxxx"], 5)).toEqual({ lines: ["ok"], isWell: false });
  });
});
