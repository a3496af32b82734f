import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { type Row, shortfalls, table } from "./report.ts";
import { listScenarios, runScenario, type Suite } from "./run-scenario.ts";
import { LEGACY_SCENARIOS, MODERN_SCENARIOS } from "./scenarios.ts";

/** Scenarios that run at one time: each is a suite, a client and their servers, mostly waiting. */
const AT_A_TIME = 2;

const SUITE: Suite = { package: "@modelcontextprotocol/conformance", specVersion: "2025-11-25" };
const NEXT_SUITE: Suite = { package: "@modelcontextprotocol/conformance-next", specVersion: "2026-07-28" };

/** A suite, an SDK, and the two programs on it. */
const GROUPS = [
  { sdk: "1.x", package: "@modelcontextprotocol/sdk", program: "v1", suite: SUITE, scenarios: LEGACY_SCENARIOS },
  { sdk: "2.x", package: "@modelcontextprotocol/client", program: "v2", suite: SUITE, scenarios: LEGACY_SCENARIOS },
  {
    sdk: "2.x",
    package: "@modelcontextprotocol/client",
    program: "v2",
    suite: NEXT_SUITE,
    scenarios: MODERN_SCENARIOS,
  },
] as const;

const { values } = parseArgs({
  options: {
    sdk: { type: "string", multiple: true, default: [] },
    write: { type: "boolean", default: false },
    scenario: { type: "string", multiple: true, default: [] },
  },
});
const isWanted = (wanted: readonly string[], name: string) => wanted.length === 0 || wanted.includes(name);

const problems: string[] = [];
const sections: string[] = [];
for (const { sdk, package: sdkPackage, program, suite, scenarios } of GROUPS) {
  const wanted = scenarios.filter(({ name }) => isWanted(values.scenario, name));
  if (!isWanted(values.sdk, sdk) || wanted.length === 0) continue;
  const title = `SDK ${sdk}, protocol ${suite.specVersion}`;
  const known = new Set(scenarios.map(({ name }) => name));
  for (const name of listScenarios(suite)) if (!known.has(name)) problems.push(`${title}: the suite has ${name}, too`);
  const rows = await inTurns(wanted, async ({ name: scenario }): Promise<Row> => {
    const bare = await runScenario(suite, `bare-${program}`, scenario);
    return { scenario, bare, pooled: await runScenario(suite, `pooled-${program}`, scenario) };
  });
  const versions = `\`${sdkPackage}\` ${versionOf(sdkPackage)}, suite ${versionOf(suite.package)}`;
  const section = `## ${title}\n\n${versions}\n\n${table(rows)}\n`;
  console.log(section);
  sections.push(section);
  problems.push(...rows.flatMap(shortfalls).map((problem) => `${title}: ${problem}`));
}
if (sections.length === 0) throw new Error("no such scenario, or no such SDK: there are 1.x and 2.x");

if (values.write) writeFileSync(new URL("../../../docs/conformance.md", import.meta.url), page());
if (problems.length > 0) {
  console.error(
    `The pool passes less than the SDK alone, or something was left out:\n${problems.map((problem) => `- ${problem}`).join("\n")}`,
  );
  process.exitCode = 1;
}

function page(): string {
  return `# Conformance

What the conformance suite of MCP (\`@modelcontextprotocol/conformance\`) says of two client programs that do the same: one uses the
SDK's own client, the other makes every call through the manager of mcp-pool, with everything that a default install has. For
protocol revision 2026-07-28 there is a preview of the suite only; its scenarios of extensions are left out.
\`npm run test:conformance\` runs both on Node.js 24, prints these tables, and fails when the pool passes less; with \`-- --write\` it
writes this page. Written on Node.js ${process.versions.node}.

The pool has one connection here: the suite's servers take whoever connects for one client, and \`sse-retry\` hands an answer to
whichever event stream comes next. With two connections that may be the other one's, of which no client could make anything.

A cell counts what is checked, not how often: a client that sends more requests meets more instances of the same check. ✘ is the
suite's verdict on the scenario; where both columns have it, it is the SDK's own.

${sections.join("\n")}`;
}

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(manifestOf(name), "utf8")) as { readonly version: string };
  return version;
}

/** Walks up from what the package resolves to, since not every package lets its manifest be resolved. */
function manifestOf(name: string): string {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const found = paths.map((path) => `${path}/${name}/package.json`).find(isReadable);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as Item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}
