import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMcpPool, type McpPoolManager, type PoolStats } from "mcp-pool";
import { Callers } from "./callers.ts";
import { Comparison } from "./comparison.ts";
import { callInNewProcess, callInNewSession } from "./connect-per-call.ts";
import { everythingOverHttp, everythingOverStdio, HTTP, MEMORY, poolConfig, STDIO } from "./demo-servers.ts";
import { everythingCalls } from "./everything-calls.ts";
import { milliseconds } from "./figures.ts";
import { HttpServerProcess } from "./http-server-process.ts";
import { killOneProcess } from "./kill-one-process.ts";
import { LoadView } from "./load-view.ts";
import { ExpectedMemory } from "./memory-calls.ts";
import { ProcessWatch } from "./process-watch.ts";
import type { Screen } from "./screen.ts";
import { shuffled } from "./shuffled.ts";
import { type Column, textTable } from "./text-table.ts";
import { Verdict } from "./verdict.ts";

const CALLERS = 32;
const CALLS = { [STDIO]: 130, [HTTP]: 100, [MEMORY]: 70 };
/** Share of the calls that is done when a server is killed. */
const KILL_AFTER = 0.4;
/** How much of a list of names is shown, in characters. */
const NAMES_WIDTH = 50;
const COMPARED_CALLS = { [STDIO]: 6, [HTTP]: 40 };

/** Shows the pool at work on real servers, step by step, and judges what it has seen. */
export class Demo {
  readonly #screen: Screen;
  readonly #signal: AbortSignal;
  readonly #verdict = new Verdict();
  readonly #processes = new ProcessWatch();
  readonly #memory = new ExpectedMemory(MEMORY);

  constructor(screen: Screen, signal: AbortSignal) {
    this.#screen = screen;
    this.#signal = signal;
  }

  /** Runs everything, cleans up, and returns whether all was well. */
  async run(): Promise<boolean> {
    const before = this.#processes.alive()?.length;
    const folder = await mkdtemp(join(tmpdir(), "mcp-pool-demo-"));
    try {
      await using httpServer = await HttpServerProcess.start(everythingOverHttp, this.#processes.env);
      const memoryFile = join(folder, "memory.jsonl");
      const manager = await createMcpPool(poolConfig(httpServer.url, memoryFile, this.#processes.env));
      try {
        await this.#listTools(manager);
        await this.#putUnderLoad(manager);
        await this.#compare(manager, httpServer.url);
        this.#checkPools(manager);
      } finally {
        await manager.close({ drainTimeoutMs: this.#signal.aborted ? 0 : 5_000 });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    this.#checkProcesses(before);
    const what =
      "What had to hold, and what was seen: in the answers, in the pool's own\nstatistics, and in the process list of this system.";
    this.#screen.heading("The verdict", what);
    this.#screen.say(this.#verdict.draw(this.#screen));
    return this.#verdict.isGood;
  }

  async #listTools(manager: McpPoolManager): Promise<void> {
    this.#screen.heading(
      "Three real MCP servers, one pool",
      "Two run as processes of ours (stdio), one listens on loopback (HTTP).\nThe pool has opened their connections once, and shares them among all callers.",
    );
    await manager.warmUp();
    const rows = await Promise.all(
      manager.servers().map(async (name) => {
        const { tools } = await manager.listTools(name, { signal: this.#signal });
        return [this.#screen.colors.bold(name), String(tools.length), namesOf(tools.map((tool) => tool.name))];
      }),
    );
    const columns: readonly Column[] = [["server"], ["tools", "right"], ["among them"]];
    this.#screen.say(textTable(columns, rows));
  }

  async #putUnderLoad(manager: McpPoolManager): Promise<void> {
    const calls = shuffled([
      ...everythingCalls(STDIO, CALLS[STDIO]),
      ...everythingCalls(HTTP, CALLS[HTTP]),
      ...this.#memory.calls(CALLS[MEMORY]),
    ]);
    this.#screen.heading(
      `${calls.length} calls by ${CALLERS} callers, and one server killed in the middle`,
      "Few connections carry many callers, and who finds no room waits in line.\nWhen a process dies, the pool opens another one, and tells the callers whose\nanswer is lost: whether a call may run twice is for them to say. A third of\nthe calls take 0.5 to 2 s on the server.",
    );
    const callers = new Callers(manager, calls, this.#signal);
    let retriedByPool = 0;
    using view = new LoadView(manager, callers, this.#screen);
    const recovery = await this.#screen.during(view, async () => {
      manager.subscribe(() => {
        retriedByPool++;
      }, ["request-retried"]);
      const working = callers.run(CALLERS);
      const killing = callers
        .reached(KILL_AFTER)
        .then(() => killOneProcess(manager, STDIO, (text) => this.#screen.say(text)));
      const [, recovery] = await Promise.all([working, killing]);
      return recovery;
    });
    for (const problem of callers.problems.slice(0, 10)) this.#screen.say(this.#screen.colors.red(`  ${problem}`));

    this.#verdict.add(
      "every call got the right answer",
      callers.right === callers.total,
      `${callers.right} of ${callers.total}`,
    );
    const codes = [...callers.repeats].map(([code, count]) => `${count} ${code}`);
    // What was never sent, the pool sends again by itself.
    if (retriedByPool > 0) codes.push(`${retriedByPool} never sent`);
    this.#verdict.add(
      "lost calls were reported, and repeated",
      callers.repeated + retriedByPool >= manager.pool(STDIO).stats().counters.requestErrors,
      codes.join(", "),
    );
    this.#verdict.add(
      "the killed process was replaced",
      recovery.reopenedAfterMs > 0,
      `within ${milliseconds(recovery.reopenedAfterMs)} ms`,
    );
    const whole = await manager.callTool(MEMORY, { name: "read_graph" });
    const problem = this.#memory.problemOf(whole);
    this.#verdict.add(
      "the memory server knows each note once",
      problem === undefined,
      problem ?? `${this.#memory.size} notes`,
    );
  }

  async #compare(manager: McpPoolManager, url: string): Promise<void> {
    this.#screen.heading(
      "Connecting for each call, against the pool",
      "Without a pool, each call pays for a process or a session: start, handshake,\ncall, end. The same call in both ways by turns, one at a time.",
    );
    const callOf = (message: string) => ({ name: "echo", arguments: { message } });
    const pooled = (server: string) => (message: string) => manager.callTool(server, callOf(message));
    const comparison = new Comparison(
      [
        {
          server: STDIO,
          calls: COMPARED_CALLS[STDIO],
          connectPerCall: (message) => callInNewProcess(everythingOverStdio, this.#processes.env, callOf(message)),
          pooled: pooled(STDIO),
        },
        {
          server: HTTP,
          calls: COMPARED_CALLS[HTTP],
          connectPerCall: (message) => callInNewSession(url, callOf(message)),
          pooled: pooled(HTTP),
        },
      ],
      this.#screen,
    );
    await this.#screen.during(comparison, () => comparison.run(this.#signal));
    const calls = 2 * (COMPARED_CALLS[STDIO] + COMPARED_CALLS[HTTP]);
    const isRight = comparison.problems.length === 0;
    const figures = isRight ? `${calls} of ${calls}` : comparison.problems.join("; ");
    this.#verdict.add("every call of the comparison, too", isRight, figures);
  }

  /** Nothing may be taken once all callers have gone. */
  #checkPools(manager: McpPoolManager): void {
    const all = manager.servers().flatMap((name) => manager.poolsOf(name).map((pool) => pool.stats()));
    const sum = (count: (stats: PoolStats) => number) => all.reduce((total, stats) => total + count(stats), 0);
    const leases = sum((stats) => stats.leases);
    const waiting = sum((stats) => stats.waiting);
    const inFlight = sum((stats) => stats.inFlight);
    const unreturned = sum(({ counters }) => counters.borrowed - counters.returned);
    this.#verdict.add(
      "nothing is left in the pools",
      leases + waiting + inFlight === 0 && unreturned === 0,
      `${leases} leases, ${inFlight} in flight, ${waiting} waiting`,
    );
  }

  #checkProcesses(before: number | undefined): void {
    const left = this.#processes.alive();
    const figures =
      left === undefined
        ? "not checked: this system has no process list that we can read"
        : `${before} before, ${left.length} after ${left.map(({ processId, command }) => `(${processId} ${command})`).join(" ")}`;
    this.#verdict.add("no process of ours is left", left === undefined || left.length === 0, figures.trim());
  }
}

function namesOf(names: readonly string[]): string {
  const list = names.join(", ");
  return list.length > NAMES_WIDTH ? `${list.slice(0, NAMES_WIDTH)}…` : list;
}
