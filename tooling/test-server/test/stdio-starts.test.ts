import { expect, test, vi } from "vitest";
import { isProcessRunning, readLedger, stdioTestServer } from "../src/index.ts";
import { callForText, connect, connectStdio, stdioTransport, temporaryFile } from "./connect-client.ts";

test("a server that refuses to start exits, for as many starts as it was told", async () => {
  const ledgerPath = temporaryFile();
  const env = { TEST_SERVER_EXIT_ON_START: "3", TEST_SERVER_BAD_STARTS: "2", TEST_SERVER_LEDGER: ledgerPath };
  await expect(connectStdio(env)).rejects.toThrow("Connection closed");
  await expect(connectStdio(env)).rejects.toThrow("Connection closed");
  const { client } = await connectStdio(env);
  expect(await callForText(client, "echo", { message: "third" })).toBe("third");
  expect(readLedger(ledgerPath).processes).toHaveLength(3);
});

test("garbage before the handshake does no harm, and garbage alone never becomes a connection", async () => {
  const { client } = await connectStdio({ TEST_SERVER_GARBAGE: "before" });
  expect(await callForText(client, "echo", { message: "hi" })).toBe("hi");
  const transport = stdioTransport({ TEST_SERVER_GARBAGE: "only" });
  const errors = vi.fn();
  transport.onerror = errors;
  const connecting = connect(transport);
  await expect.poll(() => errors.mock.calls.length).toBeGreaterThanOrEqual(2);
  await transport.close();
  await expect(connecting).rejects.toThrow("Connection closed");
});

test("a server may ignore its handshake or its pings", async () => {
  const transport = stdioTransport({ TEST_SERVER_HANG_ON_INITIALIZE: "1", TEST_SERVER_START_DELAY_MS: "10" });
  const connecting = connect(transport);
  setTimeout(() => void transport.close(), 300);
  await expect(connecting).rejects.toThrow("Connection closed");
  const deaf = await connectStdio({ TEST_SERVER_IGNORE_PING: "1" });
  await expect(deaf.client.ping({ timeout: 50 })).rejects.toThrow("Request timed out");
  expect(await callForText(deaf.client, "echo", { message: "hi" })).toBe("hi");
  const refusing = await connectStdio({ TEST_SERVER_REFUSE_PING: "1" });
  await expect(refusing.client.ping()).rejects.toThrow("Method not found");
});

test("a stubborn server ends only when it is killed", { timeout: 15_000 }, async () => {
  const { client, transport } = await connectStdio({ TEST_SERVER_STUBBORN: "1" });
  const pid = transport.pid ?? 0;
  const begun = performance.now();
  await client.close();
  expect(performance.now() - begun).toBeGreaterThan(3500);
  await expect.poll(() => isProcessRunning(pid)).toBe(false);
});

test("an unknown variable of ours is refused", () => {
  expect(() => stdioTestServer({ TEST_SERVER_VERSOIN: "1" })).toThrow("Unknown variables TEST_SERVER_VERSOIN");
});
