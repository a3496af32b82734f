import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/asks.md", root), "utf8");
const rows = page
  .split("\n")
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

/** At most so many of them may be left to others. */
const MAX_NOT_OURS = 3;

describe("docs/asks.md", () => {
  test("has a row for each of the 25 asks, in their order", () => {
    expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  });

  test("names for each the tests that prove it, all of which exist, or says that it is not ours", () => {
    const left: (string | undefined)[] = [];
    const missing: string[] = [];
    for (const [, number, , answer = "", tests = ""] of rows) {
      const paths = [...tests.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path);
      missing.push(...paths.filter((path) => !existsSync(new URL(path, root))).map((path) => `${number}: ${path}`));
      if (answer.startsWith("Not ours")) left.push(number);
      else if (paths.length === 0) missing.push(`${number}: no test`);
    }
    expect(missing).toEqual([]);
    expect(left.length).toBeLessThanOrEqual(MAX_NOT_OURS);
  });
});
