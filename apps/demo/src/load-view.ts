import type { McpPoolManager, PoolEvent } from "mcp-pool";
import type { Callers } from "./callers.ts";
import { milliseconds, percentile } from "./figures.ts";
import type { LiveView, Screen } from "./screen.ts";
import { type Column, textTable } from "./text-table.ts";

const COLUMNS: readonly Column[] = [
  ["server"],
  ["connections\nact/idle/all", "right"],
  ["in\nflight", "right"],
  ["wait-\ning", "right"],
  ["calls\ndone", "right"],
  ["lost", "right"],
  ["p50\nms", "right"],
  ["p95\nms", "right"],
  ["p99\nms", "right"],
];

/** Shows what each pool is doing: its own statistics, and what its events say of the calls. */
export class LoadView implements LiveView, Disposable {
  readonly #manager: McpPoolManager;
  readonly #callers: Callers;
  readonly #colors: Screen["colors"];
  readonly #latencies = new Map<string, number[]>();
  readonly #lost = new Map<string, number>();
  readonly #unsubscribe: () => void;

  constructor(manager: McpPoolManager, callers: Callers, { colors }: Screen) {
    this.#manager = manager;
    this.#callers = callers;
    this.#colors = colors;
    this.#unsubscribe = manager.subscribe((event) => this.#onEvent(event), ["request-finished"]);
  }

  draw(): string {
    return `${textTable(
      COLUMNS,
      [...this.#manager.pools].map(([name]) => this.#row(name)),
    )}\n${this.summary()}`;
  }

  summary(): string {
    const { right, total, repeated, problems } = this.#callers;
    const pools = [...this.#manager.pools.values()].map((pool) => pool.stats());
    const inFlight = pools.reduce((sum, stats) => sum + stats.inFlight, 0);
    const waiting = pools.reduce((sum, stats) => sum + stats.waiting, 0);
    const wrong = problems.length === 0 ? "" : `, ${problems.length} wrong or missing`;
    return `${right} of ${total} answered right${wrong}; ${inFlight} in flight, ${waiting} waiting, ${repeated} repeated`;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }

  #row(name: string): string[] {
    const { connections, inFlight, waiting } = this.#manager.pool(name).stats();
    const latencies = [...(this.#latencies.get(name) ?? [])].sort((a, b) => a - b);
    const lost = this.#lost.get(name) ?? 0;
    return [
      this.#colors.bold(name),
      `${connections.active}/${connections.idle}/${connections.total}`,
      String(inFlight),
      waiting > 0 ? this.#colors.yellow(waiting) : "0",
      this.#colors.green(latencies.length),
      lost > 0 ? this.#colors.red(lost) : "0",
      ...[0.5, 0.95, 0.99].map((share) => milliseconds(percentile(latencies, share))),
    ];
  }

  #onEvent(event: PoolEvent): void {
    if (event.type !== "request-finished" || event.method !== "tools/call") return;
    if (event.judgement === "ok") {
      const latencies = this.#latencies.get(event.serverName) ?? [];
      latencies.push(event.waitMs + event.durationMs);
      this.#latencies.set(event.serverName, latencies);
    } else {
      this.#lost.set(event.serverName, (this.#lost.get(event.serverName) ?? 0) + 1);
    }
  }
}
