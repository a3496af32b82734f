import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { httpTestServer } from "../src/index.ts";
import { callForText, connectLegacy, connectStreamable, startServer } from "./connect-client.ts";

test("an expired session is unknown, while its calls under way are answered", async () => {
  const server = await startServer();
  const { client } = await connectStreamable(server);
  const underway = callForText(client, "count", { key: "a", delayMs: 400 });
  await expect.poll(() => server.stats().executions.a?.started).toBe(1);
  expect(server.expireSessions()).toBe(1);
  await expect(callForText(client, "echo", { message: "hi" })).rejects.toMatchObject({ code: 404 });
  expect(await underway).toBe("1");
  const renewed = await connectStreamable(server);
  expect(await callForText(renewed.client, "echo", { message: "hi" })).toBe("hi");
});

test("the next requests fail with the status that was asked for, and no others", async () => {
  const server = await startServer();
  const { client } = await connectStreamable(server);
  server.failNext({ status: 503, retryAfter: 2, count: 2, method: "tools/call" });
  await client.ping();
  await expect(callForText(client, "echo", { message: "1" })).rejects.toMatchObject({ code: 503 });
  const response = await fetch(server.url, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call" }),
  });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(await callForText(client, "echo", { message: "3" })).toBe("3");
});

test.each([{ jsonResponse: true }, { jsonResponse: false }])(
  "a request is lost before, or its answer after its execution (%o)",
  async (mode) => {
    const server = await startServer(mode);
    const { client } = await connectStreamable(server);
    const count = (key: string) => client.callTool({ name: "count", arguments: { key } }, undefined, { timeout: 150 });
    server.resetNext({ method: "tools/call" });
    await expect(count("reset before")).rejects.toThrow();
    server.hangNext({ method: "tools/call" });
    await expect(count("hang before")).rejects.toThrow("Request timed out");
    server.resetNext({ method: "tools/call", when: "after" });
    await expect(count("reset after")).rejects.toThrow();
    server.hangNext({ method: "tools/call", when: "after" });
    await expect(count("hang after")).rejects.toThrow("Request timed out");
    await expect.poll(() => Object.keys(server.stats().executions)).toEqual(["reset after", "hang after"]);
    expect(await callForText(client, "count", { key: "last" })).toBe("1");
  },
);

test("a broken stream loses its call, unless the server lets the client resume", async () => {
  const plain = await startServer();
  const lost = await connectStreamable(plain);
  const call = lost.client.callTool({ name: "count", arguments: { key: "a", delayMs: 400 } }, undefined, {
    timeout: 600,
  });
  await expect.poll(() => plain.stats().executions.a?.started).toBe(1);
  expect(plain.dropStreams({ which: "request" })).toBe(1);
  await expect(call).rejects.toThrow("Request timed out");

  const resumable = await startServer({ resumable: true });
  const resumed = await connectStreamable(resumable);
  const answer = callForText(resumed.client, "count", { key: "a", delayMs: 400 });
  await expect.poll(() => resumable.stats().executions.a?.started).toBe(1);
  expect(resumable.dropStreams({ which: "request", how: "end" })).toBe(1);
  expect(await answer).toBe("1");
});

test("requests without the bearer token are refused", async () => {
  const server = await startServer({ bearerToken: "secret" });
  await expect(connectStreamable(server)).rejects.toMatchObject({ code: 401 });
  server.requireBearerToken(undefined);
  await connectStreamable(server);
});

test("the old HTTP+SSE transport has sessions, tools and faults too", async () => {
  const server = await startServer();
  const { client } = await connectLegacy(server);
  expect(await callForText(client, "echo", { message: "hi" })).toBe("hi");
  expect(server.stats().sessions).toEqual({ opened: 1, closed: 0, live: 1 });
  server.failNext({ status: 500 });
  await expect(callForText(client, "echo", { message: "hi" })).rejects.toThrow("500");
  server.hangNext({ when: "after" });
  await expect(
    client.callTool({ name: "count", arguments: { key: "a" } }, undefined, { timeout: 100 }),
  ).rejects.toThrow();
  await expect.poll(() => server.stats().executions.a).toMatchObject({ started: 1, ended: 1 });
  await client.close();
  await expect.poll(() => server.stats().sessions.live).toBe(0);
});

test("a server in a process of its own is controlled over HTTP", async () => {
  const { command, args, env } = httpTestServer();
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const [line] = await once(child.stdout, "data");
  const { url } = JSON.parse(String(line));
  const control = (name: string, body: object) =>
    fetch(new URL(`/control/${name}`, url), { method: "POST", body: JSON.stringify(body) }).then((answer) =>
      answer.json(),
    );
  expect(await control("fail-next", { status: 429, retryAfter: 1 })).toEqual({});
  expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(429);
  expect(await control("stats", {})).toMatchObject({ sessions: { opened: 0 }, httpRequests: { POST: 1 } });
  expect(await control("fail-next", { status: "429" })).toEqual({
    error: expect.stringContaining('"status" must be a finite number'),
  });
  child.kill();
  const [, signal] = await once(child, "exit");
  expect(signal).toBe("SIGTERM");
});
