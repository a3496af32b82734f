import { appendFileSync } from "node:fs";
import { type ExecutionCounts, readLedger } from "./read-ledger.ts";

/** Counts executions by request key, in memory and, if a path is given, in a file that outlives a crash. */
export class ExecutionLedger {
  readonly #path: string | undefined;
  readonly #counts = new Map<string, { started: number; ended: number }>();

  constructor(path?: string) {
    this.#path = path;
  }

  start(key: string): void {
    this.#countsOf(key).started += 1;
    this.#append("start", key);
  }

  end(key: string): void {
    this.#countsOf(key).ended += 1;
    this.#append("end", key);
  }

  /** Notes that this process began; returns how many began before it. */
  processStarted(): number {
    if (this.#path === undefined) return 0;
    const earlier = readLedger(this.#path).processes.length;
    this.#append("process", "-");
    return earlier;
  }

  /** Executions of a key so far, those of earlier processes included when there is a file. */
  startsOf(key: string): number {
    if (this.#path !== undefined) return readLedger(this.#path).counts[key]?.started ?? 0;
    return this.#counts.get(key)?.started ?? 0;
  }

  /** The counts of this process alone. */
  counts(): Record<string, ExecutionCounts> {
    return Object.fromEntries([...this.#counts].map(([key, counts]) => [key, { ...counts, pids: [process.pid] }]));
  }

  #countsOf(key: string): { started: number; ended: number } {
    const existing = this.#counts.get(key);
    if (existing !== undefined) return existing;
    const counts = { started: 0, ended: 0 };
    this.#counts.set(key, counts);
    return counts;
  }

  // Synchronous on purpose: the line is in the file before anything else can kill the process.
  #append(event: string, key: string): void {
    if (this.#path === undefined) return;
    appendFileSync(this.#path, `${event} ${encodeURIComponent(key)} ${process.pid} ${Date.now()}\n`);
  }
}
