import { describe, expect, it } from "vitest";
import {
  CircuitBreakerOpenError,
  type CircuitFallback,
  type CircuitSubstitutes,
  McpConfigurationError,
  type McpConnectionManager,
  type PoolPlugin,
} from "../src/index.ts";
import { judged } from "../src/testing/index.ts";
import { scriptedManager } from "./scripted-manager.ts";

/** Refuses every request to some servers, as an open circuit does. */
function openCircuits(...names: readonly string[]): PoolPlugin {
  return {
    name: "open",
    install: ({ serverName }) => ({
      request: (next) => (request) =>
        names.includes(serverName)
          ? Promise.reject(new CircuitBreakerOpenError("open", { serverName }))
          : next(request),
    }),
  };
}

const ECHO = { name: "echo" };
const COMPLETION = { ref: { type: "ref/prompt", name: "greeting" }, argument: { name: "a", value: "b" } } as const;

describe("a call that the circuit breaker of its server refuses", () => {
  it("goes to the server that stands in", async () => {
    const { manager, connector } = scriptedManager({
      servers: { files: { onCircuitOpen: { server: "mirror" } }, mirror: {} },
      plugins: [openCircuits("files")],
    });
    expect(await manager.callTool("files", ECHO)).toEqual({ content: [] });
    expect(await manager.listTools("files")).toEqual({ tools: [] });
    expect(connector.connects.every(({ serverName }) => serverName === "mirror")).toBe(true);
  });

  it("keeps the headers of the call from the server that stands in", async () => {
    const { manager, connector } = scriptedManager({
      servers: { files: { onCircuitOpen: { server: "mirror" } }, mirror: {}, plain: {} },
      plugins: [openCircuits("files")],
    });
    const headers = { authorization: "for files only" };
    await manager.callTool("files", ECHO, { headers });
    await manager.callTool("plain", ECHO, { headers });
    const sent = connector.connections.flatMap((connection) =>
      connection.requests.map(({ options }) => options.headers),
    );
    expect(sent).toEqual([undefined, headers]);
  });

  it("gets the result that is made for it", async () => {
    const asked: unknown[] = [];
    const stale = { content: [{ type: "text" as const, text: "from yesterday" }] };
    const { manager } = scriptedManager({
      servers: {
        files: {
          onCircuitOpen: {
            callTool: (params, error) => {
              asked.push([params, error.code]);
              return stale;
            },
          },
        },
      },
      plugins: [openCircuits("files")],
    });
    expect(await manager.callTool("files", ECHO)).toBe(stale);
    expect(asked).toEqual([[ECHO, "CIRCUIT_OPEN"]]);
    await expect(manager.listPrompts("files")).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
  });

  it.each<[keyof CircuitSubstitutes, (manager: McpConnectionManager) => Promise<unknown>]>([
    ["callTool", (manager) => manager.callTool("files", ECHO)],
    ["listTools", (manager) => manager.listTools("files")],
    ["listResources", (manager) => manager.listResources("files")],
    ["listResourceTemplates", (manager) => manager.listResourceTemplates("files")],
    ["readResource", (manager) => manager.readResource("files", { uri: "a:b" })],
    ["listPrompts", (manager) => manager.listPrompts("files")],
    ["getPrompt", (manager) => manager.getPrompt("files", { name: "greeting" })],
    ["complete", (manager) => manager.complete("files", COMPLETION)],
  ])("gets what stands in for its own method: %s", async (method, call) => {
    const substitute = { from: method };
    const { manager } = scriptedManager({
      servers: { files: { onCircuitOpen: { [method]: () => substitute } } },
      plugins: [openCircuits("files")],
    });
    expect(await call(manager)).toBe(substitute);
    const others = scriptedManager({
      servers: { files: { onCircuitOpen: { [method === "callTool" ? "listTools" : "callTool"]: () => substitute } } },
      plugins: [openCircuits("files")],
    });
    await expect(call(others.manager)).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
  });

  it("fails when all that stand in are refused as well, even in a circle", async () => {
    const { manager } = scriptedManager({
      servers: { a: { onCircuitOpen: { server: "b" } }, b: { onCircuitOpen: { server: "a" } } },
      plugins: [openCircuits("a", "b")],
    });
    await expect(manager.callTool("a", ECHO)).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
  });

  it("is the only kind that falls back: what may have run does not run elsewhere", async () => {
    const { manager, connector } = scriptedManager({
      servers: { files: { onCircuitOpen: { server: "mirror" } }, mirror: {} },
    });
    connector.onRequest.next(judged("outcome-unknown"));
    await expect(manager.callTool("files", ECHO)).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(connector.requests).toHaveLength(1);
  });

  it("is typed: what stands in for a method has that method's parameters and result", () => {
    const right: CircuitFallback = { callTool: ({ name }) => ({ content: [{ type: "text", text: name }] }) };
    // @ts-expect-error a list of tools is no result of a call
    const wrong: CircuitFallback = { callTool: () => ({ tools: [] }) };
    // @ts-expect-error there is no such method
    const unknown: CircuitFallback = { callTools: () => ({ content: [] }) };
    expect([right, wrong, unknown].map((each) => Object.keys(each))).toEqual([
      ["callTool"],
      ["callTool"],
      ["callTools"],
    ]);
  });

  it("tells of a bad fallback when the manager is made", () => {
    const bad = { servers: { files: { onCircuitOpen: { server: 1 } as never } } };
    expect(() => scriptedManager(bad)).toThrow(McpConfigurationError);
  });
});
