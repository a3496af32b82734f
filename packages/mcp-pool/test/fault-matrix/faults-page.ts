import type { Cell, ExpectedRow } from "./expected-cells.ts";

/** What one row of the matrix came to. */
export interface MeasuredRow extends ExpectedRow {
  readonly read: Cell;
}

const INTRODUCTION = `# Faults

What a caller of a default install meets when a server fails, measured: \`packages/mcp-pool/test/fault-matrix.test.ts\` provokes each
fault with a real server and writes this page with \`UPDATE_FAULTS=1 npm test -- --project mcp-pool fault-matrix\`; without that it fails
if the page differs from what it found.

Each fault meets the first try of one call. "Safe" calls may run twice: a tool with a trusted \`readOnlyHint\`, or one whose caller
says \`idempotent: true\`; both came to the same in every row. "Unsafe" is every other tool. *Runs* is how often the tool began to run,
counted by the server. No unsafe tool runs twice anywhere, and every call ended before its deadline.

A connection that is *set aside* gets nothing new until it speaks again; one that is *renewed* has got a new session in place of the
one that the server had forgotten, and the refused call was sent once more on it, below the pool's own tries. The circuit breaker opens
after five failures that count in a row.
`;

/** Writes the page of measured faults. */
export function faultsPage(rows: readonly MeasuredRow[]): string {
  const sections = (["stdio", "HTTP"] as const).map((transport) => {
    const own = rows.filter((row) => row.transport === transport);
    return [
      `\n## Over ${transport}\n`,
      "| fault | judgement | safe: sees | tries | runs | unsafe: sees | tries | runs | when | connection | circuit breaker |",
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
      ...own.map(line),
      "",
    ].join("\n");
  });
  return INTRODUCTION + sections.join("");
}

function line({ fault, judgement, safe, unsafe, time, connection, breaker }: MeasuredRow): string {
  const first = judgement === "ok" ? "none" : `\`${judgement}\``;
  return `| ${[fault, first, ...cell(safe), ...cell(unsafe), time, connection, breaker].join(" | ")} |`;
}

function cell({ sees, attempts, runs }: Cell): string[] {
  const what = sees === "answer" ? "the answer" : sees.startsWith("-") ? `the server's error ${sees}` : `\`${sees}\``;
  return [what, attempts === 1 ? "1" : "2 or more", String(runs)];
}
