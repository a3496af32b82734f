import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modernStdioServer, startModernHttpServer } from "@mcp-pool/modern-test-server";
import { startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector, stdioConnector } from "../src/index.ts";
import { sdkV2 } from "../src/v2/index.ts";
import { callTool, closed, connectRequest, failureOf, open, SLOW } from "./connecting.ts";

async function modernServer(options = {}) {
  const server = await startModernHttpServer(options);
  onTestFinished(() => server.stop());
  return server;
}

function markFolder(): { readonly mark: string; spawned(): number } {
  const folder = mkdtempSync(join(tmpdir(), "spawned-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { mark: join(folder, "mark"), spawned: () => readdirSync(folder).length };
}

describe("over HTTP, the era of a server", SLOW, () => {
  test("is asked for once: later connects take no round trip", async () => {
    const server = await modernServer();
    const connector = httpConnector({ url: server.url, sdk: sdkV2({ listen: false }) });
    const first = await open(connector);
    const requests = [...server.requests];
    const others = await Promise.all([open(connector), open(connector), open(connector)]);
    expect([...server.requests]).toEqual(requests);
    expect(requests).toEqual([["server/discover", 1]]);
    for (const connection of [first, ...others]) {
      expect(connection).toMatchObject({ era: "modern", server: { name: "modern-test-server" } });
      expect(connection.server.protocolVersion).toBe("2026-07-28");
      expect(connection.server.capabilities).toMatchObject({ tools: { listChanged: true } });
    }
  });

  test("is asked for once by many connects at one time", async () => {
    const server = await modernServer();
    const connector = httpConnector({ url: server.url, sdk: sdkV2({ listen: false }) });
    await Promise.all(Array.from({ length: 20 }, () => open(connector)));
    expect(server.requests.get("server/discover")).toBe(1);
  });

  test("is asked for by each identity, since the answer may depend on who asks", async () => {
    const server = await modernServer();
    const connector = httpConnector({ url: server.url, sdk: sdkV2({ listen: false }) });
    for (const identity of ["ada", "bob", "ada"]) await open(connector, { identity });
    expect(server.requests.get("server/discover")).toBe(2);
  });

  test("is asked for again when the answer has expired", async () => {
    const server = await modernServer();
    const connector = httpConnector({ url: server.url, sdk: sdkV2({ listen: false, eraTtlMs: 0 }) });
    await open(connector);
    await open(connector);
    expect(server.requests.get("server/discover")).toBe(2);
  });

  test("is remembered when it is the legacy one", async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const connector = httpConnector({ url: server.url, sdk: sdkV2() });
    expect((await open(connector)).era).toBe("legacy");
    expect((await open(connector)).era).toBe("legacy");
    const { requests } = server.stats();
    expect(requests).toMatchObject({ initialize: 2, "server/discover": 1 });
  });

  test("is the legacy one without a question, if told so", async () => {
    const server = await modernServer();
    const connection = await open(httpConnector({ url: server.url, sdk: sdkV2({ era: "legacy" }) }));
    expect(connection.era).toBe("legacy");
    expect(server.requests.has("server/discover")).toBe(false);
    expect(await callTool(connection, "echo", { message: "hi" })).toMatchObject({ content: [{ text: "hi" }] });
  });

  test("is not made up for a server that does not speak a pinned revision", async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const connector = httpConnector({ url: server.url, sdk: sdkV2({ era: { pin: "2026-07-28" } }) });
    expect((await failureOf(open(connector))).message).toMatch(/HTTP 4\d\d|pinned protocol version/);
    expect(server.stats().requests).not.toHaveProperty("initialize");
  });

  test("is asked for again when the server has gone back to the legacy one", async () => {
    const modern = await modernServer();
    const connector = httpConnector({ url: modern.url, sdk: sdkV2({ listen: false }) });
    const connection = await open(connector);
    const ended = closed(connection);
    await modern.stop();
    const legacy = await startHttpTestServer({ port: Number(modern.url.port) });
    onTestFinished(() => legacy.close());
    await failureOf(callTool(connection, "echo", { message: "anybody?" }));
    await ended;
    const next = await open(connector);
    expect(next.era).toBe("legacy");
    expect(await callTool(next, "echo", { message: "hi" })).toMatchObject({ content: [{ text: "hi" }] });
  });

  test("is not taken for legacy because of an outage or a refusal", async () => {
    const server = await modernServer();
    const connector = httpConnector({ url: server.url, sdk: sdkV2({ listen: false }) });
    for (const [status, judgement] of [
      [503, "overloaded"],
      [401, "unauthorised"],
    ] as const) {
      server.refuseNext("server/discover", status);
      expect(await failureOf(open(connector))).toMatchObject({ name: "ConnectFailure", judgement });
    }
    expect(server.requests.has("initialize")).toBe(false);
    expect((await open(connector)).era).toBe("modern");
  });
});

describe("over stdio, the era of a server", SLOW, () => {
  test.each([
    ["modern", modernStdioServer],
    ["legacy", stdioTestServer],
  ])("is found out without a second process: %s", async (era, command) => {
    const { mark, spawned } = markFolder();
    const base = command === modernStdioServer ? modernStdioServer({ SPAWN_MARK: mark }) : stdioTestServer();
    const connector = stdioConnector({ ...base, sdk: sdkV2() });
    for (let connections = 1; connections <= 3; connections++) {
      const connection = await open(connector);
      expect(connection.era).toBe(era);
      if (command === modernStdioServer) expect(spawned()).toBe(connections);
    }
  });

  test("is legacy where the process ends at the question; then a second one starts, and later ones aren't asked", async () => {
    const { mark, spawned } = markFolder();
    const touchy = touchyServer(mark);
    const connector = stdioConnector({ ...touchy, sdk: sdkV2() });
    expect((await open(connector)).era).toBe("legacy");
    expect(spawned()).toBe(2);
    expect((await open(connector)).era).toBe("legacy");
    expect(spawned()).toBe(3);
  });

  test("is legacy where the process keeps silent about the question", async () => {
    const { mark, spawned } = markFolder();
    const connector = stdioConnector({ ...touchyServer(mark, "silent"), sdk: sdkV2({ probeTimeoutMs: 50 }) });
    expect((await open(connector)).era).toBe("legacy");
    expect(spawned()).toBe(1);
  });

  test("is not looked for in a program that ends whatever it is asked", async () => {
    const connector = stdioConnector({ command: process.execPath, args: ["-e", "process.exit(3)"], sdk: sdkV2() });
    const failure = await failureOf(open(connector));
    expect(failure.message).toMatch(/exited with code 3|EPIPE|stdin/);
  });
});

test("options that make no sense are refused", () => {
  expect(() => sdkV2({ era: { pin: "2025-11-25" } })).toThrow('era: must be "auto", "legacy" or { pin');
  expect(() => sdkV2({ era: "newest" as "auto" })).toThrow("era: must be");
  expect(() => sdkV2({ eraTtlMs: -1 })).toThrow("eraTtlMs: must be a number that is not negative, got -1");
});

/** A server of the legacy era by hand, which takes no request before `initialize`. */
function touchyServer(mark: string, at: "exit" | "silent" = "exit") {
  const script = `
    require("node:fs").writeFileSync(${JSON.stringify(mark)} + process.pid, "");
    const answer = (id, result) => console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method } = JSON.parse(line);
      if (method === "initialize") {
        answer(id, { protocolVersion: "2025-06-18", capabilities: {}, serverInfo: { name: "touchy", version: "1" } });
      } else if (method === "server/discover" && ${JSON.stringify(at)} === "exit") process.exit(1);
    });`;
  return { command: process.execPath, args: ["-e", script] };
}

test("an era is found out by others when the connect that was to find it out for all hangs", SLOW, async () => {
  const server = await modernServer();
  let isFirst = true;
  const hangingFirst: typeof fetch = (input, init) => {
    if (!isFirst) return fetch(input, init);
    isFirst = false;
    return new Promise((_resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });
  };
  const connector = httpConnector({ url: server.url, sdk: sdkV2(), fetch: hangingFirst });
  const hung = failureOf(connector.connect(connectRequest({ timeoutMs: 8_000 })));
  const connection = await open(connector, { timeoutMs: 8_000 });
  expect(connection.era).toBe("modern");
  expect(await hung).toMatchObject({ message: expect.stringContaining("8000 ms") });
});
