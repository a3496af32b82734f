import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as facade from "mcp-pool";
import { afterAll, expect, it } from "vitest";
import { PageFolder } from "./page-folder.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const READMES = ["README.md", ...globSync("{packages,tooling}/*/README.md", { cwd: ROOT }).sort()];
const SLOW = { timeout: 120_000 };

/** Parts of programs take our names for granted, and what a program before them has made. */
const GIVEN = [
  'declare const manager: import("mcp-pool").McpPoolManager;',
  'declare const config: import("mcp-pool").McpPoolConfig;',
  'declare const connector: import("mcp-pool").Connector;',
  ...Object.keys(facade).map((name) => `declare const ${name}: typeof import("mcp-pool").${name};`),
].join("\n");

/** A name of the reader's own, in a part of a program; ours are given. */
const OWN_NAME = /block-\d+\.ts\(\S+: error TS(2304|2552): Cannot find name '[a-z]\w*'/;

const folder = new PageFolder();
afterAll(() => folder.remove());
folder.write(".", new Map([["given.d.ts", GIVEN]]));
for (const file of READMES) folder.write(dirname(file), blocksOf(readFileSync(join(ROOT, file), "utf8")));

it("every block of every README has the types it needs", SLOW, async () => {
  const errors = (await folder.typeErrors()).split("\n").filter((line) => line !== "" && !OWN_NAME.test(line));
  expect(errors).toEqual([]);
});

it("two-servers.ts runs, and prints what three calls and a list return", SLOW, async () => {
  const printed = await folder.program("packages/mcp-pool", "two-servers.ts");
  expect(printed).toContain("[ { type: 'text', text: 'Echo: three' } ]");
  expect(printed).toContain("'create_entities'");
});

/** The `ts` blocks of a README, by the names they begin with, or else by number. */
function blocksOf(markdown: string): ReadonlyMap<string, string> {
  const blocks = [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""], index) => {
    const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] ?? `block-${index + 1}.ts`;
    return [name, code] as const;
  });
  return new Map(blocks);
}
