import { writeFileSync } from "node:fs";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { median, ratioTo, type ScenarioResult } from "./measurement.ts";
import { chartPath } from "./results.ts";

/** Draws a chart of each scenario that has something to compare, as SVG, and returns the names of the files. */
export async function drawCharts(results: readonly ScenarioResult[]): Promise<readonly string[]> {
  const names: string[] = [];
  for (const result of results) {
    if (result.measurements.length < 2) continue;
    const name = chartName(result.id);
    const view = new View(parse(compile(isGrowth(result) ? lines(result) : bars(result)).spec), { renderer: "none" });
    writeFileSync(chartPath(name), `${await view.toSVG()}\n`);
    names.push(name);
  }
  return names;
}

/** Name of the chart of a scenario, without its ending. */
export function chartName(id: string): string {
  return id.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

/** Contenders that are numbers are sizes of one thing. */
function isGrowth({ measurements }: ScenarioResult): boolean {
  return measurements.every(({ contender }) => Number(contender) > 0);
}

const CONFIG = { background: "white", font: "sans-serif" };

function bars(result: ScenarioResult): TopLevelSpec {
  const values = result.measurements.map(({ contender }) => ({
    contender,
    ratio: ratioTo(result, contender, [result.baseline]),
    isOurs: /mcp-pool|core/.test(contender),
  }));
  return {
    data: { values },
    title: `${result.id}: ${result.title}`,
    description: result.title,
    width: 480,
    mark: { type: "bar", tooltip: null },
    encoding: {
      y: { field: "contender", type: "nominal", sort: null, title: null, axis: { labelLimit: 260 } },
      x: {
        field: "ratio",
        type: "quantitative",
        title: `× ${result.baseline}, less is better`,
        scale: scaleOf(values),
      },
      color: {
        field: "isOurs",
        type: "nominal",
        legend: null,
        scale: { domain: [true, false], range: ["#2a6fdb", "#b8b8b8"] },
      },
    },
    config: CONFIG,
  };
}

/** Contenders that are a hundred times apart need a logarithm to be seen together. */
function scaleOf(values: readonly { readonly ratio: number }[]): { type: "log" | "linear" } {
  const ratios = values.map(({ ratio }) => ratio).filter((each) => each > 0);
  return { type: Math.max(...ratios) / Math.min(...ratios) > 50 && ratios.length === values.length ? "log" : "linear" };
}

function lines(result: ScenarioResult): TopLevelSpec {
  const values = result.measurements.map(({ contender, rounds }) => ({
    size: Number(contender),
    median: median(rounds),
    min: Math.min(...rounds),
    max: Math.max(...rounds),
  }));
  const x = { field: "size", type: "quantitative", scale: { type: "log" }, title: "how many" } as const;
  return {
    data: { values },
    title: `${result.id}: ${result.title}`,
    description: result.title,
    width: 480,
    layer: [
      { mark: { type: "rule", color: "#b8b8b8" }, encoding: { x, y: axis("min"), y2: { field: "max" } } },
      { mark: { type: "line", point: true, color: "#2a6fdb" }, encoding: { x, y: axis("median") } },
    ],
    config: CONFIG,
  };

  function axis(field: string) {
    return { field, type: "quantitative", title: `${result.unit} each`, scale: { zero: true } } as const;
  }
}
