import type { Findings } from "./run-scenario.ts";

/** One scenario, for the bare client and for the pooled one. */
export interface Row {
  readonly scenario: string;
  readonly bare: Findings;
  readonly pooled: Findings;
}

/** Names what the bare client passes and the pooled one does not. */
export function shortfalls({ scenario, bare, pooled }: Row): readonly string[] {
  const missing = [...bare.passed].flatMap(([id, count]) => {
    return (pooled.passed.get(id) ?? 0) >= Math.min(count, 1)
      ? []
      : [`${scenario}: ${id} passes only without the pool`];
  });
  const failures = pooled.failures.length > bare.failures.length ? pooled.failures : [];
  const isWorse = bare.isPass && !pooled.isPass;
  return [
    ...missing,
    ...failures.map((failure) => `${scenario}: ${failure}`),
    ...(isWorse ? [`${scenario}: the suite passes the bare client, and not the pooled one`] : []),
  ];
}

/** Writes the scenarios as a table in Markdown. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { scenario, bare, pooled } = row;
    const same = shortfalls(row).length === 0 ? "yes" : "**no**";
    return `| ${scenario} | ${cell(bare)} | ${cell(pooled)} | ${same} |`;
  });
  return [
    "| scenario | bare SDK client | through the pool | at least the same |",
    "| --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

/** Checks are counted by what they check: a client that sends more requests meets more instances of the same check. */
function cell({ passed, failures, warnings, isPass }: Findings): string {
  const parts = [`${passed.size} pass`];
  if (failures.length > 0) parts.push(`${new Set(failures).size} fail`);
  if (warnings.length > 0) parts.push(`${new Set(warnings).size} warn`);
  return `${isPass ? "✔" : "✘"} ${parts.join(", ")}`;
}
