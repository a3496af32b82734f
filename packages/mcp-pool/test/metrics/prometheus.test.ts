import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { METRICS } from "@mcp-pool/metrics-otel";
import { startHttpTestServer } from "@mcp-pool/test-server";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMcpPool } from "../../src/index.ts";
import { eventually, ledgeredServer, temporaryFolder } from "../real-servers.ts";
import { hasPrometheus, type Prometheus, promtool, startPrometheus } from "./prometheus-process.ts";

const DASHBOARDS = fileURLToPath(new URL("../../../metrics-otel/dashboards", import.meta.url));
const LIMIT_MS = 120_000;
/** Prometheus learns of things when it scrapes next, and the machine may be busy. */
const PATIENT = { timeout: 30_000, interval: 50 };

if (!hasPrometheus()) {
  console.warn(
    "SKIPPED: prometheus and promtool are not on the PATH; install the Debian package prometheus, or set PROMETHEUS_PATH and PROMTOOL_PATH",
  );
}

/** Every metric's name in Prometheus, without the suffixes of histograms. */
const NAMES = Object.values(METRICS).map(({ name, kind }) => {
  const own = name.replaceAll(".", "_");
  return { name: kind === "counter" ? `${own}_total` : own, kind };
});

/** Serves what an exporter has, as an application does. */
async function serve(exporter: PrometheusExporter): Promise<string> {
  const server = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

async function value(prometheus: Prometheus, expression: string): Promise<number> {
  return Number((await prometheus.query(expression))[0]?.value[1] ?? Number.NaN);
}

async function reaches(prometheus: Prometheus, expression: string, expected: number): Promise<void> {
  await expect.poll(() => value(prometheus, expression), { ...PATIENT, message: expression }).toBe(expected);
}

describe.skipIf(!hasPrometheus())("a real Prometheus", () => {
  it("scrapes a pool under load, and has every metric with the figures that the servers counted", {
    timeout: LIMIT_MS,
  }, async () => {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    const meterProvider = new MeterProvider({ readers: [exporter] });
    onTestFinished(() => meterProvider.shutdown());
    const target = await serve(exporter);
    const web = await startHttpTestServer();
    onTestFinished(() => web.close());
    const local = ledgeredServer();
    const manager = await createMcpPool(
      {
        mcpServers: { web: { url: web.url.href }, local: local.config },
        pool: { minConnections: 0 },
        serverConfigs: {
          local: { pool: { maxConnections: 1, maxRequestsPerConnection: 1, acquireTimeoutMs: 100 } },
          web: {
            tools: { "count-idempotent": { idempotent: true } },
            pool: { circuitBreaker: { failureThreshold: 2, recoveryTimeoutMs: 60_000 }, retry: { initialDelayMs: 10 } },
          },
        },
      },
      { meterProvider },
    );
    onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
    const prometheus = await startPrometheus(target, [join(DASHBOARDS, "rules.yaml")]);
    const call = (server: string, name: string, args = {}) => manager.callTool(server, { name, arguments: args });

    // Load, from many callers at once: successes, tools that fail, errors, a retry.
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 20 }, () => call("web", "echo", { message: "hi" })));
    }
    await call("web", "fail");
    await expect(call("web", "throw", { code: -32042 })).rejects.toMatchObject({ code: -32042 });
    web.failNext({ status: 503, method: "tools/call" });
    await call("web", "count-idempotent", { key: "once" });
    await manager.checkHealth("web");
    // Exhaustion: one connection with room for one.
    const lease = await manager.acquire("local");
    await expect(call("local", "echo", { message: "hi" })).rejects.toMatchObject({ code: "POOL_EXHAUSTED" });
    lease.release();
    for (let each = 0; each < 5; each++) await call("local", "echo", { message: "hi" });
    const active = manager.acquire("local");
    await active;
    await reaches(
      prometheus,
      'mcp_pool_connection_count{mcp_pool_server_name="local", mcp_pool_connection_state="used"}',
      1,
    );
    (await active).discard();
    await eventually(() => manager.stats().servers.local?.pools[0]?.counters.destroyed === 1);
    // An outage opens the circuit.
    web.failNext({ status: 500, count: 2, method: "tools/call" });
    for (let each = 0; each < 2; each++) {
      await expect(call("web", "count", { key: "lost" })).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    }
    await expect(call("web", "echo", { message: "hi" })).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });

    const { requests, executions } = web.stats();
    const web200 = 'mcp_client_operation_duration_count{mcp_pool_server_name="web", mcp_method_name="tools/call"';
    await reaches(prometheus, `sum(${web200}})`, requests["tools/call"] ?? 0);
    expect(requests["tools/call"]).toBe(200 + 2 + 2 + 2);
    expect(executions.once?.started).toBe(1);
    await reaches(prometheus, `sum(${web200}, gen_ai_tool_name="echo", error_type=""})`, 200);
    await reaches(prometheus, `sum(${web200}, error_type="tool_error"})`, 1);
    await reaches(prometheus, `sum(${web200}, error_type="-32042", rpc_response_status_code="-32042"})`, 1);
    await reaches(prometheus, `sum(${web200}, error_type="503"})`, 1);
    await reaches(prometheus, `sum(${web200}, error_type="500"})`, 2);
    await reaches(prometheus, 'mcp_pool_request_retries_total{mcp_pool_server_name="web"}', 1);
    await reaches(prometheus, 'mcp_pool_connection_timeouts_total{mcp_pool_server_name="local"}', 1);
    const created = 'mcp_pool_connection_create_time_count{mcp_pool_server_name="local", error_type=""}';
    await reaches(prometheus, created, local.processes().length);
    const opened = 'mcp_pool_circuit_breaker_transitions_total{mcp_pool_circuit_breaker_state="open"}';
    await reaches(prometheus, opened, 1);

    for (const { name, kind } of NAMES) {
      const query = kind === "histogram" ? `${name}_bucket` : name;
      await expect
        .poll(async () => (await prometheus.query(query)).length, { ...PATIENT, message: query })
        .toBeGreaterThan(0);
    }
    await checkLint(target);
    await checkDashboard(prometheus);
    await checkRules(prometheus);

    await manager.close();
    const gauges = NAMES.filter(({ kind }) => kind === "gauge").map(({ name }) => name);
    for (const name of gauges) await reaches(prometheus, `max(${name})`, 0);
  });

  it("has nothing against the rules, whose alerts fire when they should, in both spellings", async () => {
    for (const spelling of ["", "-collector"]) {
      const folder = temporaryFolder();
      cpSync(join(DASHBOARDS, `rules${spelling}.yaml`), join(folder, "rules.yaml"));
      const tests = readFileSync(new URL("alerts.yaml", import.meta.url), "utf8");
      const histograms = NAMES.filter(({ kind }) => kind === "histogram").map(({ name }) => name);
      const spelled = tests.replace(new RegExp(`^( *- series: )(${histograms.join("|")})`, "gm"), "$1$2_seconds");
      writeFileSync(join(folder, "alerts.yaml"), spelling === "" ? tests : spelled);
      expect(await promtool(["check", "rules", "rules.yaml"], "", folder)).toMatchObject({ code: 0 });
      expect(await promtool(["test", "rules", "alerts.yaml"], "", folder)).toMatchObject({
        code: 0,
        output: expect.stringContaining("SUCCESS"),
      });
    }
  });
});

/** The one complaint is about a name of the conventions: docs/decisions/0042. */
async function checkLint(target: string): Promise<void> {
  const text = await (await fetch(`http://${target}/metrics`)).text();
  const { output } = await promtool(["check", "metrics"], text);
  expect(output.trim().split("\n")).toEqual([
    expect.stringMatching(/^mcp_pool_connection_count non-histogram .* should not have "_count" suffix$/),
  ]);
}

/** Every panel's query is one that Prometheus understands, and none of those about what is there comes back empty. */
async function checkDashboard(prometheus: Prometheus): Promise<void> {
  const { panels } = JSON.parse(readFileSync(join(DASHBOARDS, "grafana.json"), "utf8")) as {
    panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  };
  const emptyPanels = async () => {
    const empty: string[] = [];
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const query = expr.replaceAll("$pool", ".*").replaceAll("$server", ".*").replaceAll("$__rate_interval", "1m");
        if ((await prometheus.query(query)).length === 0) empty.push(title);
      }
    }
    return empty;
  };
  // A rate takes two scrapes since its series began.
  await expect
    .poll(emptyPanels, { ...PATIENT, message: "panels about failures that did not happen" })
    .toEqual(["Failed connects", "Failed checks"]);
}

async function checkRules(prometheus: Prometheus): Promise<void> {
  const rules = async () => {
    const { groups } = (await prometheus.api("rules")) as {
      groups: readonly {
        readonly rules: readonly { readonly name: string; readonly health: string; readonly state?: string }[];
      }[];
    };
    return groups.flatMap((group) => group.rules);
  };
  const stateOf = async (wanted: string) => (await rules()).find(({ name }) => name === wanted)?.state;
  await expect.poll(async () => (await rules()).filter(({ health }) => health !== "ok"), PATIENT).toEqual([]);
  await expect.poll(() => stateOf("McpPoolExhausted"), PATIENT).toBe("firing");
  await expect.poll(() => stateOf("McpPoolCircuitOpen"), PATIENT).toMatch(/pending|firing/);
}
