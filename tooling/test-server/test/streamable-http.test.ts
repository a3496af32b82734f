import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, test, vi } from "vitest";
import { startHttpTestServer } from "../src/index.ts";
import { callForText, connect, connectStreamable, startServer } from "./connect-client.ts";

test("each session has its own state, and a deleted one is gone", async () => {
  const server = await startServer();
  const one = await connectStreamable(server);
  const two = await connectStreamable(server);
  await callForText(one.client, "set", { key: "a", value: "1" });
  expect(await callForText(one.client, "get", { key: "a" })).toBe("1");
  expect(await two.client.callTool({ name: "get", arguments: { key: "a" } })).toMatchObject({ isError: true });
  expect(server.stats().sessions).toEqual({ opened: 2, closed: 0, live: 2 });
  await one.transport.terminateSession();
  expect(server.stats().sessions).toEqual({ opened: 2, closed: 1, live: 1 });
  expect(server.stats().requests).toMatchObject({ initialize: 2, "tools/call": 3, "notifications/initialized": 2 });
});

test("the server shows the headers it received", async () => {
  const server = await startServer();
  const { client } = await connect(
    new StreamableHTTPClientTransport(server.url, { requestInit: { headers: { "x-tenant": "blue" } } }),
  );
  const info = await client.callTool({ name: "session-info", arguments: { headers: ["x-tenant", "x-other"] } });
  expect(info).toMatchObject({
    structuredContent: { headers: { "x-tenant": "blue" }, sessionId: server.stats().sessionIds[0] },
  });
});

test("stateless and JSON modes serve the same tools", async () => {
  const stateless = await startServer({ stateless: true });
  const one = await connectStreamable(stateless);
  expect(one.transport.sessionId).toBeUndefined();
  expect(await callForText(one.client, "echo", { message: "hi" })).toBe("hi");
  const plain = await startServer({ jsonResponse: true });
  const two = await connectStreamable(plain);
  expect(await callForText(two.client, "echo", { message: "hi" })).toBe("hi");
});

test("every session hears of a changed tool list on its own stream", async () => {
  const server = await startServer();
  const one = await connectStreamable(server);
  const two = await connectStreamable(server);
  await expect.poll(() => server.stats().responses.listening).toBe(2);
  const announced = vi.fn();
  two.client.setNotificationHandler(ToolListChangedNotificationSchema, announced);
  await callForText(one.client, "change-tools", { name: "late" });
  await expect.poll(() => announced.mock.calls.length).toBe(1);
  expect(await callForText(two.client, "late")).toBe("answer of late");
});

test("closing ends every call, session and socket", async () => {
  const server = await startHttpTestServer();
  const { client } = await connectStreamable(server);
  const hanging = client.callTool({ name: "hang" }, undefined, { timeout: 300 });
  await expect.poll(() => server.stats().requests["tools/call"]).toBe(1);
  await Promise.all([server.close(), expect(hanging).rejects.toThrow()]);
  expect(server.stats()).toMatchObject({
    sessions: { live: 0 },
    responses: { requests: 0, listening: 0 },
    sockets: { open: 0 },
  });
  await expect(fetch(server.url)).rejects.toThrow("fetch failed");
});
