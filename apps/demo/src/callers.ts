import { McpConnectionError, McpOutcomeUnknownError, type McpPoolManager } from "mcp-pool";
import type { DemoCall } from "./demo-call.ts";

const MAX_REPEATS = 3;

/** A number of callers who work off one list of calls, each waiting for one answer at a time. */
export class Callers {
  /** Calls with the right answer. */
  right = 0;
  /** Calls that were sent again, since their answer was lost with the connection; by the code of the error. */
  readonly repeats: Map<string, number> = new Map();
  /** What was wrong with an answer, or why there was none. */
  readonly problems: string[] = [];
  readonly total: number;
  readonly #manager: McpPoolManager;
  readonly #calls: Iterator<DemoCall>;
  readonly #signal: AbortSignal;

  constructor(manager: McpPoolManager, calls: readonly DemoCall[], signal: AbortSignal) {
    this.total = calls.length;
    this.#manager = manager;
    this.#calls = calls.values();
    this.#signal = signal;
  }

  get done(): number {
    return this.right + this.problems.length;
  }

  get repeated(): number {
    return [...this.repeats.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when every call is done. */
  async run(callers: number): Promise<void> {
    await Promise.all(Array.from({ length: callers }, () => this.#work()));
  }

  /** Resolves when the given share of the calls is done. */
  async reached(share: number): Promise<void> {
    while (this.done < this.total * share) {
      this.#signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #work(): Promise<void> {
    for (let next = this.#calls.next(); next.done !== true; next = this.#calls.next()) {
      this.#signal.throwIfAborted();
      const problem = await this.#finish(next.value).catch(String);
      if (problem === undefined) this.right++;
      else this.problems.push(`${next.value.tool} on ${next.value.server}: ${problem}`);
    }
  }

  /** Gets the answer to a call, and says what is wrong with it. */
  async #finish(call: DemoCall): Promise<string | undefined> {
    for (let repeats = 0; ; repeats++) {
      const { arguments: parameters, problemOf } = call.prepare();
      try {
        const params = { name: call.tool, arguments: parameters };
        return problemOf(await this.#manager.callTool(call.server, params, { signal: this.#signal }));
      } catch (error) {
        if (repeats === MAX_REPEATS || !mayRepeat(call, error)) throw error;
        this.repeats.set(error.code, (this.repeats.get(error.code) ?? 0) + 1);
      }
    }
  }
}

/** Whoever loses an answer decides: a call that was not sent may always be repeated, one that may have run only if that is safe. */
function mayRepeat(call: DemoCall, error: unknown): error is McpConnectionError | McpOutcomeUnknownError {
  return error instanceof McpConnectionError || (error instanceof McpOutcomeUnknownError && call.isSafeToRepeat);
}
