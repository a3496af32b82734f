import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FILES, spellForCollector } from "../scripts/collector-spelling.ts";
import { ATTRIBUTES, METRICS, type MetricDefinition } from "../src/index.ts";

const read = (file: string) => readFileSync(new URL(`../dashboards/${file}`, import.meta.url), "utf8");
const underscored = (name: string) => name.replaceAll(".", "_");

/** The names under which Prometheus has a metric. */
function seriesNames({ name, kind }: MetricDefinition, isCollector: boolean): readonly string[] {
  const own = underscored(name);
  if (kind === "counter") return [`${own}_total`];
  if (kind === "gauge") return [own];
  return ["_bucket", "_count", "_sum"].map((suffix) => `${own}${isCollector ? "_seconds" : ""}${suffix}`);
}

/** Every query of a dashboard, or of rules. */
function queriesOf(file: string): readonly string[] {
  const text = read(file);
  if (file.endsWith(".json")) {
    const { panels, templating } = JSON.parse(text) as {
      panels: readonly { type: string; targets?: readonly { expr: string }[] }[];
      templating: { list: readonly { definition?: string }[] };
    };
    const variables = templating.list.flatMap(({ definition }) => definition ?? []);
    const metrics = variables.map((each) => each.replace(/^label_values\((.*), \w+\)$/, "$1"));
    return [...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)), ...metrics];
  }
  const blocks = [...text.matchAll(/expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)/g)];
  return blocks.map(([, block, line]) => block ?? line ?? "");
}

/** Metrics and labels that a query names. */
function namesOf(query: string): { readonly metrics: readonly string[]; readonly labels: readonly string[] } {
  const labels: string[] = [];
  const rest = query
    .replace(/\{([^}]*)\}/g, (_, matchers: string) => {
      labels.push(...[...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label ?? ""));
      return "";
    })
    .replace(/\b(?:by|without)\s*\(([^)]*)\)/g, (_, list: string) => {
      labels.push(...list.split(",").map((label) => label.trim()));
      return "";
    });
  const functions = new Set(["sum", "rate", "increase", "histogram_quantile", "topk", "or", "unless", "offset"]);
  const words = [...rest.matchAll(/(?<![\w$.])[a-z_][\w:]*/gi)].map(([word]) => word);
  return { metrics: words.filter((word) => !functions.has(word) && !/^(m|__rate_interval)$/.test(word)), labels };
}

const KNOWN_LABELS = new Set([...Object.values(ATTRIBUTES).map(underscored), "le", "job", "instance"]);

const ALL = Object.values<MetricDefinition>(METRICS);
const EVERY_FILE = FILES.flatMap(([own, collector]) => [
  { file: own, isCollector: false },
  { file: collector, isCollector: true },
]);

describe.each(EVERY_FILE)("$file", ({ file, isCollector }) => {
  const existing = new Set(ALL.flatMap((each) => seriesNames(each, isCollector)));
  const recorded = new Set([...read(file).matchAll(/record: (\S+)/g)].map(([, name]) => name));

  it("queries only metrics and labels that exist", () => {
    const queries = queriesOf(file);
    expect(queries.length).toBeGreaterThan(10);
    for (const query of queries) {
      const { metrics, labels } = namesOf(query);
      expect(metrics, query).not.toEqual([]);
      expect(
        metrics.filter((name) => !existing.has(name) && !recorded.has(name)),
        query,
      ).toEqual([]);
      expect(
        labels.filter((name) => !KNOWN_LABELS.has(name)),
        query,
      ).toEqual([]);
    }
  });
});

it.each(EVERY_FILE.filter(({ file }) => file.endsWith(".json")))(
  "$file shows every metric",
  ({ file, isCollector }) => {
    const shown = new Set(queriesOf(file).flatMap((query) => namesOf(query).metrics));
    const missing = ALL.filter((each) => !seriesNames(each, isCollector).some((name) => shown.has(name)));
    expect(missing).toEqual([]);
  },
);

it.each(FILES)("%s is spelled for a Collector in %s", (own, collector) => {
  expect(read(collector), "run: pnpm --dir packages/metrics-otel run dashboards").toBe(spellForCollector(read(own)));
});
