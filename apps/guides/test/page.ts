/** A program of a page: the blocks under one heading that begin with its name, and go on with it. */
export interface Program {
  readonly kind: "program";
  readonly file: string;
  code: string;
  expected: string | undefined;
}

/** Commands of a page. */
export interface Commands {
  readonly kind: "commands";
  readonly code: string;
  expected: string | undefined;
}

/** What a page holds that can be checked. */
export interface Page {
  /** Programs and commands, in their order. */
  readonly runs: readonly (Program | Commands)[];
  /** Files that programs read, by name. */
  readonly files: ReadonlyMap<string, string>;
}

/** A heading, or a fenced block, which may be indented as a part of a list. */
const BLOCK = /^(#{1,6} .*|( *)```(\w*)\n([\s\S]*?)^\2```)$/gm;
const NAMES: Readonly<Record<string, RegExp>> = {
  ts: /^\/\/ (\S+\.ts)\n/,
  yaml: /^# (\S+\.ya?ml)\n/,
  json: /^\/\/ (\S+\.json)\n/,
};

/**
 * Reads the blocks of a page.
 * @throws {Error} for a block that nothing would check
 */
export function readPage(markdown: string): Page {
  const runs: (Program | Commands)[] = [];
  const files = new Map<string, string>();
  let program: Program | undefined;
  let last: Program | Commands | undefined;

  function add(run: Program | Commands): void {
    runs.push(run);
    last = run;
  }

  function addFile(name: string | undefined, code: string): void {
    if (name === undefined) throw new Error(`a block has no name:\n${code}`);
    if (files.has(name)) throw new Error(`${name} is there twice`);
    files.set(name, code);
  }

  for (const [, whole = "", indent = "", language = "", body = ""] of markdown.matchAll(BLOCK)) {
    const code = indent === "" ? body : body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const name = NAMES[language]?.exec(code)?.[1];
    if (whole.startsWith("#")) {
      program = undefined;
      last = undefined;
    } else if (language === "ts" && name !== undefined) {
      program = { kind: "program", file: name, code, expected: undefined };
      addFile(name, code);
      add(program);
    } else if (language === "ts") {
      if (program === undefined) throw new Error(`a block belongs to no program:\n${code}`);
      program.code += `\n${code}`;
      last = program;
    } else if (language === "yaml" || language === "json") {
      addFile(name, code);
    } else if (language === "bash") {
      add({ kind: "commands", code, expected: undefined });
    } else if (language === "text") {
      if (last === undefined) throw new Error(`nothing prints this:\n${code}`);
      last.expected = (last.expected ?? "") + code;
    } else if (language !== "" && language !== "mermaid") {
      throw new Error(`a block in ${language} is not checked by anything:\n${code}`);
    }
  }
  for (const run of runs) if (run.kind === "program") files.set(run.file, run.code);
  return { runs, files };
}

/** Tells whether a program printed what its page says; `…` stands for anything, on a line of its own for any lines, or none. */
export function printsAs(expected: string): RegExp {
  const lines = expected.trimEnd().split("\n");
  const patterns = lines.map((line) =>
    line.trim() === "…" ? "(?:.*(?:\\n|$))*?" : `${line.trimEnd().split("…").map(escaped).join(".*?")}(?:\\n|$)`,
  );
  return new RegExp(`^${patterns.join("")}$`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
