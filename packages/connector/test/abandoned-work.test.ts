import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connector, McpConnectionPool, type PoolEvent, type PoolOptions } from "@mcp-pool/core";
import { readLedger, startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector, stdioConnector } from "../src/index.ts";
import { eventually, SLOW } from "./connecting.ts";

/** Servers whose tools go on working after their caller has gone, and then answer. */
const SERVERS: Readonly<Record<string, (ledger: string) => Promise<Connector> | Connector>> = {
  stdio: (ledger) => stdioConnector(stdioTestServer({ TEST_SERVER_LEDGER: ledger, TEST_SERVER_IGNORE_CANCEL: "1" })),
  HTTP: async (ledger) => {
    const server = await startHttpTestServer({ ledgerPath: ledger, ignoreCancellation: true });
    onTestFinished(() => server.close());
    return httpConnector({ url: server.url });
  },
};

describe.each(Object.entries(SERVERS))(
  "a tool that goes on after its caller has gone, over %s,",
  SLOW,
  (name, connect) => {
    async function pooled(options: PoolOptions) {
      const folder = mkdtempSync(join(tmpdir(), "mcp-pool-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const path = join(folder, "ledger");
      const connector = await connect(path);
      const pool = new McpConnectionPool(connector, { minConnections: 0, maxConnections: 1, ...options });
      onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
      const events: PoolEvent[] = [];
      pool.subscribe((event) => events.push(event));
      const work = (key: string, delayMs: number, signal?: AbortSignal) =>
        pool.client.callTool({ name: "count", arguments: { key, delayMs } }, { signal });
      const steps = () =>
        readLedger(path)
          .entries.filter(({ event }) => event !== "process")
          .map(({ event, key }) => `${event} ${key}`);
      const types = () => events.map(({ type }) => type);
      return { pool, work, steps, types };
    }

    test("keeps its room until its late answer when it was aborted", async () => {
      const { pool, work, steps, types } = await pooled({ maxRequestsPerConnection: 1 });
      const controller = new AbortController();
      const gone = work("gone", 700, controller.signal);
      await eventually(steps).toEqual(["start gone"]);
      controller.abort(new Error("enough"));
      await expect(gone).rejects.toThrow("enough");
      expect(pool.stats()).toMatchObject({ inFlight: 1 });
      await work("next", 0);
      expect(steps()).toEqual(["start gone", "end gone", "start next", "end next"]);
      expect(pool.stats()).toMatchObject({ inFlight: 0, connections: { total: 1, idle: 1 }, counters: { created: 1 } });
      expect(types()).not.toContain("connection-suspected");
    });

    // The other transports differ in nothing that matters here, and it takes its time.
    test.runIf(name === "stdio")(
      "keeps its room until its late answer once the server is known to answer what was cancelled",
      async () => {
        const { pool, work, steps } = await pooled({ maxRequestsPerConnection: 2 });
        const giveUp = async (key: string, delayMs: number) => {
          const controller = new AbortController();
          const gone = work(key, delayMs, controller.signal).catch(() => {});
          await eventually(steps).toContain(`start ${key}`);
          controller.abort();
          await gone;
        };
        await giveUp("first", 4_000);
        // Its answer shows that the server has read the cancellation.
        await work("between", 0);
        await eventually(() => pool.stats().inFlight).toBe(0);
        await eventually(steps).toContain("end first");
        // The late answer was sent before this one.
        await pool.request("ping");
        await Promise.all([giveUp("second", 2_500), giveUp("third", 2_500)]);
        await work("next", 0);
        const before = steps().slice(0, steps().indexOf("start next"));
        expect(before.some((step) => step === "end second" || step === "end third")).toBe(true);
      },
    );

    test("leaves the rest of the connection to others meanwhile", async () => {
      const { pool, work, steps } = await pooled({ maxRequestsPerConnection: 2 });
      const controller = new AbortController();
      const gone = work("gone", 700, controller.signal).catch(() => {});
      await eventually(steps).toEqual(["start gone"]);
      controller.abort();
      await gone;
      await work("next", 0);
      expect(steps()).toEqual(["start gone", "start next", "end next"]);
      await eventually(() => pool.stats().inFlight).toBe(0);
      expect(steps()).toEqual(["start gone", "start next", "end next", "end gone"]);
    });

    test("has its connection suspected, probed and trusted again when it timed out, and keeps its room", async () => {
      const { pool, work, steps, types } = await pooled({ maxRequestsPerConnection: 1, attemptTimeoutMs: 400 });
      await expect(work("slow", 1_200)).rejects.toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
      expect(types()).toContain("connection-suspected");
      await eventually(types).toContain("connection-cleared");
      expect(pool.stats()).toMatchObject({ inFlight: 1, connections: { total: 1 } });
      await work("next", 0);
      expect(steps()).toEqual(["start slow", "end slow", "start next", "end next"]);
      expect(pool.stats().counters.created).toBe(1);
    });

    test("is not met by the next holder of an exclusive connection, who gets another one", async () => {
      const { pool, work, steps, types } = await pooled({ sharing: "exclusive", maxConnections: 2 });
      const controller = new AbortController();
      const gone = work("gone", 700, controller.signal).catch(() => {});
      await eventually(steps).toEqual(["start gone"]);
      controller.abort();
      await gone;
      await work("next", 0);
      expect(steps().slice(0, 3)).toEqual(["start gone", "start next", "end next"]);
      await eventually(types).toContain("connection-closed");
      expect(pool.stats().counters).toMatchObject({ created: 2 });
      // The process of the running call has ended with its connection; an HTTP server goes on by itself.
      if (name === "stdio") expect(steps()).not.toContain("end gone");
    });
  },
);
