import type { CallToolResult } from "mcp-pool";
import { expectEqual, textOf } from "./demo-call.ts";
import { median, milliseconds } from "./figures.ts";
import type { LiveView, Screen } from "./screen.ts";
import { type Column, textTable } from "./text-table.ts";

/** One server, called in two ways. */
export interface Contest {
  readonly server: string;
  readonly calls: number;
  readonly connectPerCall: (message: string) => Promise<CallToolResult>;
  readonly pooled: (message: string) => Promise<CallToolResult>;
}

interface Times {
  readonly connectPerCall: number[];
  readonly pooled: number[];
}

const COLUMNS: readonly Column[] = [
  ["server"],
  ["calls\neach", "right"],
  ["connect per call\nmedian ms", "right"],
  ["pooled\nmedian ms", "right"],
  ["pooled is\nfaster by", "right"],
];

/** Calls each server in both ways by turns, so that both meet the same weather on this machine. */
export class Comparison implements LiveView {
  /** What was wrong with an answer. */
  readonly problems: string[] = [];
  readonly #contests: readonly Contest[];
  readonly #colors: Screen["colors"];
  readonly #times = new Map<Contest, Times>();

  constructor(contests: readonly Contest[], { colors }: Screen) {
    this.#contests = contests;
    this.#colors = colors;
    for (const contest of contests) this.#times.set(contest, { connectPerCall: [], pooled: [] });
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const [contest, times] of this.#times) {
      await this.#time(contest.pooled, "warm up", []);
      for (let call = 0; call < contest.calls; call++) {
        signal.throwIfAborted();
        const message = `call ${call} to ${contest.server}`;
        await this.#time(contest.connectPerCall, message, times.connectPerCall);
        await this.#time(contest.pooled, message, times.pooled);
      }
    }
  }

  draw(): string {
    const rows = this.#contests.map((contest) => {
      const { connectPerCall, pooled } = this.#medians(contest);
      const ratio = connectPerCall === undefined || pooled === undefined ? undefined : connectPerCall / pooled;
      return [
        this.#colors.bold(contest.server),
        `${this.#times.get(contest)?.pooled.length} of ${contest.calls}`,
        this.#colors.yellow(milliseconds(connectPerCall)),
        this.#colors.green(milliseconds(pooled)),
        ratio === undefined ? "–" : this.#colors.bold(`${ratio.toFixed(ratio < 10 ? 1 : 0)} ×`),
      ];
    });
    return textTable(COLUMNS, rows);
  }

  summary(): string {
    const done = this.#contests.map((contest) => {
      return `${contest.server}: ${this.#times.get(contest)?.pooled.length} of ${contest.calls}`;
    });
    return `calls made in both ways: ${done.join(", ")}`;
  }

  #medians(contest: Contest): { readonly [Way in keyof Times]: number | undefined } {
    const { connectPerCall = [], pooled = [] } = this.#times.get(contest) ?? {};
    return { connectPerCall: median(connectPerCall), pooled: median(pooled) };
  }

  async #time(call: Contest["pooled"], message: string, times: number[]): Promise<void> {
    const startedAt = performance.now();
    const result = await call(message);
    times.push(performance.now() - startedAt);
    const problem = expectEqual(textOf(result), `Echo: ${message}`);
    if (problem !== undefined) this.problems.push(problem);
  }
}
