import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type Commands, type Page, printsAs, readPage } from "./page.ts";
import { PageFolder } from "./page-folder.ts";

const DOCS = fileURLToPath(new URL("../../../docs", import.meta.url));
const PAGES = [
  "recipes.md",
  "migrating-from-python.md",
  "operations.md",
  ...globSync("migrating/from-*.md", { cwd: DOCS }).sort(),
];
const SLOW = { timeout: 120_000 };

const folder = new PageFolder();
afterAll(() => folder.remove());

const pages = new Map<string, Page>();
for (const file of PAGES) {
  const page = readPage(readFileSync(join(DOCS, file), "utf8"));
  pages.set(basename(file, ".md"), page);
  folder.write(basename(file, ".md"), page.files);
}

it("the programs of all pages have the types they need", SLOW, async () => {
  expect(await folder.typeErrors()).toBe("");
});

describe.each([...pages])("%s", (name, { runs }) => {
  const commands = runs.filter((run) => run.kind === "commands");
  const isRunByCommand = (file: string) => commands.some(({ code }) => code.includes(file));

  for (const run of runs) {
    if (run.kind === "program" && !isRunByCommand(run.file)) {
      it.concurrent(`${run.file} runs, and prints what the page says`, SLOW, async () => {
        expectPrinted(await folder.program(name, run.file), run.expected);
      });
    }
  }

  for (const run of commands) {
    it.concurrent(`$ ${run.code.trim().split("\n").join("; ")}`, SLOW, async () => {
      if (run.code.startsWith("npm install ")) return expectInstallable(run);
      expectPrinted(await folder.commands(name, run.code), run.expected);
    });
  }
});

/** The packages have no release yet, so that a page's `npm install` can't run; what it names must be there. */
function expectInstallable({ code }: Commands): void {
  const names = code.trim().split(/\s+/).slice(2);
  const missing = names.filter(
    (name) => !existsSync(fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url))),
  );
  expect(missing).toEqual([]);
}

function expectPrinted(stdout: string, expected: string | undefined): void {
  if (expected !== undefined) expect(stdout.trimEnd()).toMatch(printsAs(expected));
}
