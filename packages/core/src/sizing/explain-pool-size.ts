import { type Issue, McpConfigurationError } from "../errors.ts";
import { waitingOf } from "./erlang-c.ts";

/** What is known of the calls to one MCP server. */
export interface ObservedLoad {
  /** Calls that arrive per second, at the busiest time that the pool shall cope with. */
  readonly callsPerSecond: number;
  /** Mean time of one call on a connection, in milliseconds, without waiting for the connection. */
  readonly callMs: number;
  /** Calls that one connection carries at a time; 1 in an exclusive pool. @default 1 */
  readonly requestsPerConnection?: number | undefined;
  /** Share of the calls that may have to wait for room, between 0 and 1. @default 0.05 */
  readonly waitingShare?: number | undefined;
  /** Memory of one connection in bytes, that of its server's process included. @default not said */
  readonly memoryPerConnection?: number | undefined;
}

/** A size for a pool, and what to expect of it. */
export interface PoolSize {
  /** For `maxConnections`. */
  readonly connections: number;
  /** Calls in flight on average: arrivals times time, Little's law. */
  readonly callsInFlight: number;
  /** Part of the room that is in use on average, between 0 and 1. */
  readonly utilisation: number;
  /** Part of the calls that have to wait for room, between 0 and 1. */
  readonly waitingShare: number;
  /** Mean time that a call waits for room, in milliseconds, over all calls. */
  readonly meanWaitMs: number;
  /** Memory of all connections in bytes, where that of one is known. */
  readonly memory: number | undefined;
  /** Says in sentences how the size comes about. */
  readonly explanation: readonly string[];
}

const MAX_CONNECTIONS = 100_000;

/**
 * Works out how many connections a pool needs, from the calls that arrive and the time each takes.
 *
 * Little's law gives the calls in flight on average; Erlang's formula C the share that finds all room taken, for calls that
 * arrive at random. The size is the least at which that share is small enough. Calls that come in bursts need more.
 * @throws {McpConfigurationError} which lists every bad value
 */
export function explainPoolSize(load: ObservedLoad): PoolSize {
  check(load);
  const { callsPerSecond, callMs, requestsPerConnection = 1, waitingShare = 0.05, memoryPerConnection } = load;
  const callsInFlight = (callsPerSecond * callMs) / 1_000;
  let connections = Math.max(Math.ceil(callsInFlight / requestsPerConnection), 1);
  let waiting = waitingOf(callsInFlight, connections * requestsPerConnection);
  while (waiting > waitingShare && connections < MAX_CONNECTIONS) {
    connections++;
    waiting = waitingOf(callsInFlight, connections * requestsPerConnection);
  }
  const room = connections * requestsPerConnection;
  const utilisation = callsInFlight / room;
  const meanWaitMs = (waiting * callMs) / (room - callsInFlight);
  const memory = memoryPerConnection === undefined ? undefined : memoryPerConnection * connections;
  const explanation = [
    `${show(callsPerSecond)} calls per second of ${show(callMs)} ms each are ${show(callsInFlight)} calls in flight on average (Little's law).`,
    `${connections} connection(s) of ${requestsPerConnection} call(s) each have room for ${room}, of which ${show(utilisation * 100)} % is in use on average.`,
    `${show(waiting * 100)} % of the calls find all room taken, and a call waits ${show(meanWaitMs)} ms on average (Erlang C, arrivals at random); asked for: at most ${show(waitingShare * 100)} %.`,
  ];
  if (memory !== undefined) explanation.push(`They take ${show(memory / 1_048_576)} MiB of memory when all are open.`);
  return { connections, callsInFlight, utilisation, waitingShare: waiting, meanWaitMs, memory, explanation };
}

function check(load: ObservedLoad): void {
  const { callsPerSecond, callMs, requestsPerConnection, waitingShare, memoryPerConnection } = load;
  const issues: Issue[] = [];
  const demand = (path: string, value: unknown, wanted: string, isRight: boolean) => {
    if (!isRight) issues.push({ path, message: `must be ${wanted}, not ${String(value)}` });
  };
  demand("callsPerSecond", callsPerSecond, "a number above 0", isPositive(callsPerSecond));
  demand("callMs", callMs, "a number above 0, in milliseconds", isPositive(callMs));
  demand(
    "requestsPerConnection",
    requestsPerConnection,
    "a whole number of at least 1",
    requestsPerConnection === undefined || (Number.isSafeInteger(requestsPerConnection) && requestsPerConnection >= 1),
  );
  demand(
    "waitingShare",
    waitingShare,
    "a number above 0 and below 1",
    waitingShare === undefined || (isPositive(waitingShare) && waitingShare < 1),
  );
  demand(
    "memoryPerConnection",
    memoryPerConnection,
    "a number above 0, in bytes",
    memoryPerConnection === undefined || isPositive(memoryPerConnection),
  );
  const isTooMuch = issues.length === 0 && (callsPerSecond * callMs) / 1_000 > MAX_CONNECTIONS;
  demand("callsPerSecond", callsPerSecond, `at most ${MAX_CONNECTIONS} calls in flight`, !isTooMuch);
  if (issues.length > 0) throw new McpConfigurationError(issues);
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value < Infinity;
}

function show(value: number): string {
  return String(Number(value.toPrecision(3)));
}
