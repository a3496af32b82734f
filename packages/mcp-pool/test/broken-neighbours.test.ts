import { describe, expect, it } from "vitest";
import { closedPort, ledgeredServer, managerOf, silentPort } from "./real-servers.ts";

const CALLERS = 16;
const DURATION_MS = 3_000;
/** So many calls go on for at least as long, beside the broken ones. */
const ENOUGH = 100;
const ECHO = { name: "echo", arguments: { message: "fine" } };

describe("real servers that are broken", () => {
  it("neither fail nor hold up the calls to a sound one, under load", { timeout: 60_000 }, async () => {
    const sound = ledgeredServer();
    const crashing = ledgeredServer({ TEST_SERVER_EXIT_ON_START: "1" });
    const silent = ledgeredServer({ TEST_SERVER_HANG_ON_INITIALIZE: "1" });
    const { url } = await silentPort();
    const broken = ["crashing", "silent", "refusing", "mute"];
    const manager = await managerOf({
      mcpServers: {
        sound: sound.config,
        crashing: crashing.config,
        silent: silent.config,
        refusing: { url: await closedPort() },
        mute: { url },
      },
      pool: { minConnections: 0, maxConnections: 2, connectionTimeoutMs: 1_000, requestTimeoutMs: 2_000 },
      // On a busy machine a process may take longer than that to start, whoever its neighbours are.
      serverConfigs: { sound: { pool: { connectionTimeoutMs: 30_000, requestTimeoutMs: 30_000 } } },
    });
    const until = performance.now() + DURATION_MS;
    let answers = 0;
    const isOpen = manager.callTool("sound", ECHO);
    const call = async () => {
      await isOpen;
      while (performance.now() < until || answers < ENOUGH) {
        expect(await manager.callTool("sound", ECHO, { timeoutMs: 5_000 })).toMatchObject({
          content: [{ text: "fine" }],
        });
        answers++;
      }
    };
    const callInVain = async (server: string) => {
      while (performance.now() < until) {
        await expect(manager.callTool(server, ECHO)).rejects.toHaveProperty("code");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const load = Array.from({ length: CALLERS }, call);
    await Promise.all([...load, ...broken.flatMap((server) => [callInVain(server), callInVain(server)])]);
    expect(manager.getPoolMetrics("sound").connections.total).toBeGreaterThan(0);
    expect(crashing.processes().length, "starts in a minute").toBeLessThanOrEqual(30);
    expect(sound.processes().length, "the sound server was never started anew").toBeLessThanOrEqual(2);
  });
});
