import type { McpPoolManager, PoolEvent } from "mcp-pool";
import { milliseconds } from "./figures.ts";

/** What came of killing a server process. */
export interface Recovery {
  readonly processId: number;
  readonly inFlight: number;
  /** Milliseconds from the kill until the pool knew that the connection is gone. */
  readonly lostAfterMs: number;
  /** Milliseconds from the kill until a new process was ready. */
  readonly reopenedAfterMs: number;
}

/** How much has to be in flight on a connection, the lease included, before its process is killed. */
const BUSY = 5;
const BUSY_TIMEOUT_MS = 5_000;
const RECOVERY_TIMEOUT_MS = 30_000;

/** Kills the process behind a busy connection without warning, and waits until the pool has opened another one. */
export async function killOneProcess(
  manager: McpPoolManager,
  server: string,
  say: (text: string) => void,
): Promise<Recovery> {
  const lease = await manager.acquire(server);
  const { connectionId, connection } = lease;
  const { processId } = connection.endpoint;
  if (processId === undefined) throw new Error(`${server} does not run as a process of its own`);
  const until = performance.now() + BUSY_TIMEOUT_MS;
  while (connection.inFlight < BUSY && performance.now() < until) await sleep(2);
  lease.release();
  const { inFlight } = connection;

  const killedAt = performance.now();
  const elapsedMs = () => performance.now() - killedAt;
  const lost = eventOf(manager, (event) => {
    const isLoss = event.type === "connection-retired" || event.type === "connection-closed";
    return isLoss && event.serverName === server && event.connectionId === connectionId;
  }).then(() => {
    const afterMs = elapsedMs();
    say(`  ✗ after ${milliseconds(afterMs)} ms the pool has noticed that connection ${connectionId} is lost`);
    return afterMs;
  });
  const reopened = eventOf(
    manager,
    ({ type, serverName }) => type === "connection-opened" && serverName === server,
  ).then(() => {
    const afterMs = elapsedMs();
    say(`  ↻ after ${milliseconds(afterMs)} ms another process of ${server} is open in its place`);
    return afterMs;
  });
  process.kill(processId, "SIGKILL");
  say(`  ✂ process ${processId} of ${server} killed (SIGKILL); calls in flight on it: ${inFlight}`);
  const [lostAfterMs, reopenedAfterMs] = await Promise.all([lost, reopened]);
  return { processId, inFlight, lostAfterMs, reopenedAfterMs };
}

function eventOf(manager: McpPoolManager, isWanted: (event: PoolEvent) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      unsubscribe();
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`the pool did not recover within ${RECOVERY_TIMEOUT_MS} ms`));
    }, RECOVERY_TIMEOUT_MS);
    const unsubscribe = manager.subscribe((event) => {
      if (!isWanted(event)) return;
      finish();
      resolve();
    });
  });
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
