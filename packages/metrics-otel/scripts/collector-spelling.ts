import { readFileSync, writeFileSync } from "node:fs";
import { METRICS, type MetricDefinition } from "../src/names.ts";

/** Files for the names of the JavaScript exporter, and those for the names that a Collector writes, which have units. */
export const FILES: readonly (readonly [own: string, collector: string])[] = [
  ["grafana.json", "grafana-collector.json"],
  ["rules.yaml", "rules-collector.yaml"],
];

/** Spells the metrics of a dashboard, or of rules, as a Collector does. */
export function spellForCollector(text: string): string {
  const histograms = Object.values<MetricDefinition>(METRICS).filter(({ kind }) => kind === "histogram");
  const names = histograms.map(({ name }) => name.replaceAll(".", "_")).join("|");
  return text
    .replace(new RegExp(`\\b(${names})(_bucket|_count|_sum)?\\b`, "g"), "$1_seconds$2")
    .replace('"uid": "mcp-pool"', '"uid": "mcp-pool-collector"')
    .replace('"title": "mcp-pool"', '"title": "mcp-pool (Collector)"');
}

/** `node scripts/collector-spelling.ts` writes the files anew. */
if (process.argv[1] === import.meta.filename) {
  for (const [own, collector] of FILES) {
    const folder = new URL("../dashboards/", import.meta.url);
    writeFileSync(new URL(collector, folder), spellForCollector(readFileSync(new URL(own, folder), "utf8")));
  }
}
