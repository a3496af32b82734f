import { describe, expect, it } from "vitest";
import { printsAs, readPage } from "./page.ts";

const block = (language: string, code: string, indent = "") =>
  `${indent}\`\`\`${language}\n${code.replace(/^/gm, indent)}\n${indent}\`\`\`\n`;

describe("a page", () => {
  it("has programs that go on under one heading, with what they print", () => {
    const { runs } = readPage(
      `# A\n${block("ts", "// a.ts\none();")}${block("text", "1")}${block("ts", "two();")}${block("text", "2")}`,
    );
    expect(runs).toEqual([{ kind: "program", file: "a.ts", code: "// a.ts\none();\n\ntwo();\n", expected: "1\n2\n" }]);
  });

  it("has commands and files, also within lists", () => {
    const { runs, files } = readPage(`- x\n${block("bash", "echo hi", "  ")}${block("yaml", "# a.yaml\na: 1", "  ")}`);
    expect(runs).toMatchObject([{ kind: "commands", code: "echo hi\n" }]);
    expect([...files]).toEqual([["a.yaml", "# a.yaml\na: 1\n"]]);
  });

  it.each([
    ["a program without a name", block("ts", "one();")],
    [
      "a program whose name stands under another heading",
      `# A\n${block("ts", "// a.ts")}# B\n${block("ts", "one();")}`,
    ],
    ["a file without a name", block("yaml", "a: 1")],
    ["a name that is there twice", block("yaml", "# a.yaml") + block("yaml", "# a.yaml")],
    ["a text that nothing prints", block("text", "hi")],
    ["a language that nothing runs", block("python", "print()")],
  ])("is refused for %s", (_what, markdown) => {
    expect(() => readPage(markdown)).toThrow();
  });
});

describe("what is printed", () => {
  it.each([
    ["a (1)", "a (1)", true],
    ["a (1)", "a (2)", false],
    ["a …!", "a b c!", true],
    ["a …!", "a b\nc!", false],
    ["a\n…\nd", "a\nb\nc\nd", true],
    ["a\n…\nd", "a\nd", true],
    ["a\n…", "a", true],
    ["…\nb", "a\nc", false],
    ["a", "a\nb", false],
    ["a\nb", "a", false],
  ])("is held against %j: %j", (expected, printed, isRight) => {
    expect(printsAs(expected).test(printed)).toBe(isRight);
  });
});
