import { spawn } from "node:child_process";
import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Connector } from "@mcp-pool/core";
import { createTestServer, httpTestServer, startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector, inMemoryConnector, stdioConnector } from "../src/index.ts";
import { callMany, callTool, failureOf, open, SLOW } from "./connecting.ts";

setFlagsFromString("--expose_gc");
const collectGarbage = runInNewContext("gc") as () => void;

async function heapAfterRest(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** In a process of its own, so that its garbage is not taken for ours. */
async function httpProcess(): Promise<Connector> {
  const { command, args, env } = httpTestServer();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const [line] = await once(child.stdout, "data");
  const { url } = JSON.parse(String(line)) as { url: string };
  return httpConnector({ url });
}

const connectors: Readonly<Record<string, { readonly make: () => Promise<Connector>; readonly requests: number }>> = {
  stdio: { make: async () => stdioConnector(stdioTestServer()), requests: 10_000 },
  "in-memory": { make: async () => inMemoryConnector({ server: () => createTestServer() }), requests: 10_000 },
  http: { make: httpProcess, requests: 4_000 },
};

describe("a connection keeps nothing of the requests that have settled", SLOW, () => {
  test.each(Object.entries(connectors))("over %s", async (_, { make, requests }) => {
    const connection = await open(await make());
    await callMany(connection, requests / 2);
    const before = await heapAfterRest();
    await callMany(connection, requests);
    const after = await heapAfterRest();
    // 10 000 retained requests would be megabytes.
    expect((after - before) / requests).toBeLessThan(150);
    const { _responseHandlers, _progressHandlers, _timeoutInfo } = connection.raw as Record<string, { size: number }>;
    expect([_responseHandlers?.size, _progressHandlers?.size, _timeoutInfo?.size]).toEqual([0, 0, 0]);
  });

  test("nor of those whose sending failed", async () => {
    const server = await startHttpTestServer();
    const connection = await open(httpConnector({ url: server.url }));
    await server.close();
    const failures = await Promise.all(
      Array.from({ length: 100 }, () => failureOf(callTool(connection, "echo", { message: "" }))),
    );
    expect(new Set(failures.map(({ judgement }) => judgement))).toEqual(new Set(["not-sent"]));
    const { _responseHandlers, _timeoutInfo } = connection.raw as Record<string, { size: number }>;
    expect([_responseHandlers?.size, _timeoutInfo?.size]).toEqual([0, 0]);
  });
});
