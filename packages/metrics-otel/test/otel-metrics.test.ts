import { McpConnectionManager } from "@mcp-pool/core";
import { FakeClock, judged, pluginContract, ScriptedConnector } from "@mcp-pool/core/testing";
import { createNoopMeter, metrics } from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { McpMetricsCollector } from "../src/collector/index.ts";
import { METRICS, type OtelMetricsOptions, otelMetrics } from "../src/index.ts";
import { VERSION } from "../src/version.ts";
import { measuredPool, testMeters } from "./measured-pool.ts";

const OPERATIONS = "mcp.client.operation.duration";

describe("otelMetrics() as a plugin", () => {
  const { provider } = testMetersOutsideTests();
  it.each(pluginContract(() => otelMetrics({ meterProvider: provider, spans: true, propagation: true })))(
    "$name",
    ({ run }) => run(),
  );
});

describe("the collector as a plugin", () => {
  it.each(pluginContract(() => new McpMetricsCollector().plugin))("$name", ({ run }) => run());
});

function testMetersOutsideTests() {
  // A provider without a reader records, and nobody reads: enough for the contract.
  return { provider: { getMeter: () => createNoopMeter() } };
}

afterEach(() => metrics.disable());

describe("the provider", () => {
  it("may be the global one, which is looked for again when the first connection opens", async () => {
    const { provider, series } = testMeters();
    const { pool, connector } = measuredPool([otelMetrics()]);
    metrics.setGlobalMeterProvider(provider);
    await pool.request("ping");
    expect(await series(OPERATIONS)).toMatchObject([{ value: 1, attributes: { "mcp.method.name": "ping" } }]);
    expect(await series("mcp_pool.connection.create_time")).toMatchObject([{ value: 1 }]);
    expect(connector.connects).toHaveLength(1);
  });

  it("is none as long as there is none: then nothing is built, recorded or wrapped", async () => {
    const plugin = otelMetrics();
    const subscribed: (readonly string[] | undefined)[] = [];
    const { pool } = measuredPool([
      {
        name: plugin.name,
        install: (control) => {
          const own = Object.create(control, {
            subscribe: {
              value: (listener: () => void, types?: readonly string[]) => {
                subscribed.push(types);
                return control.subscribe(listener);
              },
            },
          }) as typeof control;
          const installation = plugin.install(own);
          expect(installation.request).toBeUndefined();
          return installation;
        },
      },
    ]);
    await pool.request("ping");
    expect(subscribed).toEqual([["connection-opened", "connection-closed", "connection-failed"]]);
  });

  it("gets one instrument for each metric, however many pools and plugins there are, under our name and version", async () => {
    const { provider } = testMeters();
    const made: string[] = [];
    const scopes: string[] = [];
    const counting = {
      getMeter: (name: string, version?: string) => {
        scopes.push(`${name} ${version}`);
        const meter = provider.getMeter(name, version);
        return new Proxy(meter, {
          get: (target, key) => {
            const value: unknown = Reflect.get(target, key);
            if (typeof value !== "function") return value;
            return (...args: readonly unknown[]) => {
              if (String(key).startsWith("create")) made.push(String(args[0]));
              return value.apply(target, args);
            };
          },
        });
      },
    };
    for (let each = 0; each < 3; each++) {
      const { pool } = measuredPool([otelMetrics({ meterProvider: counting })], { name: `server-${each}` });
      await pool.request("ping");
    }
    expect(made.sort()).toEqual(
      Object.values(METRICS)
        .map(({ name }) => name)
        .sort(),
    );
    expect(new Set(scopes)).toEqual(new Set([`@mcp-pool/metrics-otel ${VERSION}`]));
    expect(VERSION, "src/version.ts follows package.json").toBe(packageJson.version);
  });
});

describe("the number of series", () => {
  it("is bounded: tools beyond the limit, methods and errors that servers make up are _OTHER", async () => {
    const { provider, series } = testMeters();
    const { pool, connector } = measuredPool([otelMetrics({ meterProvider: provider, maxToolNames: 3 })]);
    for (let each = 0; each < 300; each++) await pool.request("tools/call", { name: `tool-${each}` });
    const tools = (await series(OPERATIONS)).map(({ attributes, value }) => [attributes["gen_ai.tool.name"], value]);
    expect(tools).toEqual([
      ["tool-0", 1],
      ["tool-1", 1],
      ["tool-2", 1],
      ["_OTHER", 297],
    ]);
    for (let each = 0; each < 300; each++) {
      const cause = Object.assign(new Error("no"), { code: -40_000 - each });
      connector.onRequest.next(judged("answered", "no", { cause }));
      await pool.request("tools/call", { name: "tool-0" }).catch(() => {});
      await pool.request(`made-up/${each}`);
    }
    const all = await series(OPERATIONS);
    expect(all.length).toBeLessThan(4 + 102 + 52);
    const others = all.filter(({ attributes }) => Object.values(attributes).includes("_OTHER"));
    expect(others.map(({ value }) => value)).toEqual([297, 251, 200]);
    expect(others[2]?.attributes).not.toHaveProperty("rpc.response.status_code");
  });

  it("does not grow with identities, and names none; asked to, it tells them apart by a hash", async () => {
    const plain = testMeters();
    const hashed = testMeters();
    const clock = new FakeClock();
    const connector = new ScriptedConnector({ clock });
    const manager = new McpConnectionManager({
      clock,
      pool: { minConnections: 0 },
      servers: { files: { connector } },
      plugins: [
        otelMetrics({ meterProvider: plain.provider }),
        { ...otelMetrics({ meterProvider: hashed.provider, identitySalt: "pepper" }), name: "hashed" },
      ],
    });
    for (const identity of ["alice", "bob", "alice"]) {
      await manager.callTool("files", { name: "read" }, { identity });
    }
    expect(await plain.series(OPERATIONS)).toMatchObject([{ value: 3 }]);
    expect(await plain.series("mcp_pool.connection.limit")).toMatchObject([{ value: 30 }]);
    const told = await hashed.series(OPERATIONS);
    expect(told.map(({ value }) => value)).toEqual([2, 1]);
    expect(JSON.stringify(told)).not.toMatch(/alice|bob/);
    expect(told[0]?.attributes["mcp_pool.identity"]).toMatch(/^[0-9a-f]{16}$/);
    await manager.close();
  });

  it("does not grow with servers that come and go: their gauges are zero, then gone from the callback", async () => {
    const { provider, series } = testMeters();
    const plugin = otelMetrics({ meterProvider: provider });
    for (let each = 0; each < 20; each++) {
      const { pool } = measuredPool([plugin], { name: `server-${each}` });
      await pool.request("ping");
      await pool.close();
      await series(OPERATIONS);
    }
    const limits = await series("mcp_pool.connection.limit");
    expect(limits.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, () => 0));
  });

  it("is what the user's own mapping makes of it", async () => {
    const { provider, series } = testMeters();
    const toolName = (tool: string, server: string) => `${server}/${tool.split("-")[0]}`;
    const { pool } = measuredPool([
      otelMetrics({ meterProvider: provider, toolName, ownAttributes: false, name: "x" }),
    ]);
    await pool.request("tools/call", { name: "read-1" });
    await pool.request("tools/call", { name: "read-2" });
    await pool.request("prompts/get", { name: "greet" });
    expect(await series(OPERATIONS)).toEqual([
      expect.objectContaining({
        value: 2,
        attributes: {
          "mcp.method.name": "tools/call",
          "gen_ai.tool.name": "files/read",
          "gen_ai.operation.name": "execute_tool",
        },
      }),
      expect.objectContaining({
        value: 1,
        attributes: { "mcp.method.name": "prompts/get", "gen_ai.prompt.name": "greet" },
      }),
    ]);
    expect(await series("mcp_pool.connection.wait_time")).toMatchObject([{ attributes: { "mcp_pool.name": "x" } }]);
  });
});

describe("bad options", () => {
  it("are told all at once", () => {
    const options = { meterProvider: 1, spans: "yes", maxToolNames: -1, name: "", toolName: 1, typo: 1 };
    expect(() => otelMetrics(options as unknown as OtelMetricsOptions)).toThrow(
      /metrics\.meterProvider: must be a provider.*metrics\.spans.*metrics\.maxToolNames.*metrics\.name.*metrics\.toolName.*metrics\.typo: is not known/,
    );
  });
});
