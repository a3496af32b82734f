import { type Lease, McpPoolError } from "../../src/index.ts";
import type { Coverage } from "./invariants.ts";
import { type Command, type Program, watchedTypes } from "./program.ts";
import { numberOf, RunChecks } from "./run-checks.ts";
import { type Ask, pick, REQUEST_MS, RunState, settle } from "./run-state.ts";
import type { WorldConnection } from "./world.ts";

const DRAIN_MS = 2_000;

/** Runs one program against a pool, and compares what the pool says with what the world saw. */
export class ProgramRun {
  readonly #coverage: Coverage;
  readonly #run: RunState;
  readonly #checks: RunChecks;
  readonly #released: Lease[] = [];
  readonly #connectErrors = new WeakSet<object>();
  #isClosed = false;
  /** The present maximum of connections. */
  #max: number;

  constructor(program: Program, coverage: Coverage) {
    this.#coverage = coverage;
    this.#max = program.pool.max;
    this.#run = new RunState(program, coverage);
    this.#checks = new RunChecks(this.#run);
    const { pool, world } = this.#run;
    // A failure that the pool has not seen when it gives a connect up is none for it.
    pool.subscribe((event) => {
      if (event.type === "connection-opened") this.#barge();
      if (event.type !== "connection-failed") return;
      const now = world.clock.now();
      world.streak.failed(now - event.durationMs, now, pool.stats().counters.lost);
    }, watchedTypes(program));
    world.onRequest = (connection, params) => this.#checks.request(connection, params);
    world.onConnect = () => this.#checks.connect();
    world.onProbe = () => {
      if (program.pool.callsBack) this.#tryAcquire();
    };
    world.onClose = (connection, reason) => this.#checks.close(connection, reason);
  }

  async run(): Promise<void> {
    const { commands, pool: program } = this.#run.program;
    for (const command of commands) {
      this.#coverage.command(command.do);
      await this.#execute(command);
      if (program.isWatched || command.do === "settle") this.#checks.always();
      if (this.#run.failure !== undefined) throw this.#run.failure;
    }
    await this.#quiesce();
    if (this.#run.failure !== undefined) throw this.#run.failure;
  }

  async #execute(command: Command): Promise<void> {
    switch (command.do) {
      case "acquire":
        this.#acquire(command);
        return;
      case "try-acquire":
        this.#tryAcquire();
        return;
      case "request":
        this.#request(command);
        return;
      case "lease-request":
        pick(this.#run.held, command.index)
          ?.lease.request("on-lease", {})
          .catch((error: unknown) => this.#checks.error(error));
        return;
      case "release":
        this.#release(command.index, (lease) => lease.release());
        return;
      case "discard":
        this.#release(command.index, (lease) => lease.discard());
        return;
      case "release-again":
        this.#releaseAgain(command.index);
        return;
      case "abort":
        this.#abort(command.index);
        return;
      case "kill":
        pick(
          this.#run.world.connections.filter((each) => !each.isDead && each.closes === 0),
          command.index,
        )?.die();
        return;
      case "evict": {
        const connection = pick([...(this.#run.control?.connections() ?? [])], command.index);
        if (connection !== undefined) this.#run.control?.retire(connection, "evicted");
        return;
      }
      case "complete":
        pick(this.#run.world.pending, command.index)?.end(command.outcome);
        return;
      case "microtasks":
        for (let count = 0; count < command.count; count++) await undefined;
        return;
      case "settle":
        await settle();
        this.#checks.settled();
        return;
      case "clock":
        this.#run.world.clock.step(command.ms);
        await settle();
        this.#checks.times();
        return;
      case "set-max":
        this.#setMax(command.max);
        return;
      case "set-limit":
        this.#run.limit.max = command.limit;
        this.#checks.limitChanged();
        return;
      case "set-terms":
        this.#setTerms(command);
        return;
      case "warm-up":
        this.#run.pool.warmUp().catch((error: unknown) => this.#checks.error(error));
        return;
      case "close":
        this.#close();
    }
  }

  #acquire({ signal, timeoutMs, key }: Extract<Command, { do: "acquire" }>): void {
    const stickyKey = this.#run.program.pool.sharing === "exclusive" ? key : undefined;
    const ask = this.#run.ask("acquire", signal, timeoutMs, stickyKey);
    const acquire = () => {
      const isPlain = stickyKey === undefined && timeoutMs === undefined && !signal;
      const options = isPlain ? undefined : { stickyKey, timeoutMs, signal: ask.controller?.signal };
      this.#run.pool.acquire(options).then(
        (lease) => this.#granted(ask, lease),
        (error: unknown) => this.#failed(ask, error),
      );
    };
    const isWatched = this.#run.program.pool.isWatched;
    const before = isWatched ? this.#run.pool.stats() : undefined;
    acquire();
    if (before === undefined) return;
    const after = this.#run.pool.stats();
    ask.isQueued = after.waiting > before.waiting;
    const isHit = after.counters.hits > before.counters.hits;
    const isBarging = isHit && before.waiting > 0 && this.#run.asks.every((each) => each.key === undefined);
    this.#run.check("F2", !isBarging, "a newcomer passed those who wait");
  }

  #request({ signal, timeoutMs }: Extract<Command, { do: "request" }>): void {
    const ask = this.#run.ask("request", signal, timeoutMs ?? REQUEST_MS, undefined);
    const sent =
      timeoutMs === undefined && !signal
        ? this.#run.pool.client.callTool({ name: "echo", arguments: { number: ask.number } })
        : this.#run.pool.request("echo", { number: ask.number }, { timeoutMs, signal: ask.controller?.signal });
    sent.then(
      (result) => {
        ask.state = "granted";
        this.#run.check("S10", numberOf(Object(result).params) === ask.number, "an answer went to another request");
      },
      (error: unknown) => this.#failed(ask, error),
    );
  }

  #granted(ask: Ask, lease: Lease): void {
    this.#run.check("S6", ask.state === "pending", "a caller was served twice");
    ask.state = "granted";
    const connection = this.#run.worldConnectionOf(lease);
    const earlier = this.#run.asks.find(
      (each) =>
        each.number < ask.number &&
        each.kind === "acquire" &&
        each.state === "pending" &&
        each.isQueued &&
        !each.isAborted,
    );
    const isInOrder = !ask.isQueued || ask.key !== undefined || earlier === undefined || earlier.key !== undefined;
    this.#run.check("F1", isInOrder, `caller ${ask.number} was served before caller ${earlier?.number}`);
    this.#hold(lease, connection);
  }

  #hold(lease: Lease, connection: WorldConnection | undefined): void {
    this.#run.held.push({ lease, connection });
    if (connection === undefined) return;
    this.#checks.room(connection);
    this.#checks.place(connection);
  }

  #failed(ask: Ask, error: unknown): void {
    this.#run.check("S6", ask.state === "pending", "a caller was answered twice");
    ask.state = "failed";
    this.#checks.error(error);
    if (!McpPoolError.isInstance(error) || error.code !== "CONNECTION_FAILED") return;
    this.#run.check("L3", !this.#connectErrors.has(error), "one failed connect failed two callers");
    this.#connectErrors.add(error);
  }

  #tryAcquire(): void {
    const waiting = this.#run.program.pool.isWatched ? this.#run.pool.stats().waiting : 0;
    const lease = this.#run.pool.tryAcquire();
    if (lease === undefined) return;
    this.#run.check(
      "F2",
      waiting === 0 || this.#run.asks.some((ask) => ask.key !== undefined),
      "a newcomer passed those who wait",
    );
    const connection = this.#run.worldConnectionOf(lease);
    const isGood = connection !== undefined && connection.closes === 0 && !connection.isDead;
    this.#run.check("S7", isGood, "a lease on a connection that is gone");
    this.#hold(lease, connection);
  }

  /** A listener may call the pool at any time, and gets nothing before those who wait. */
  #barge(): void {
    if (this.#run.pool.stats().waiting === 0 || this.#run.asks.some((ask) => ask.key !== undefined)) return;
    const lease = this.#run.pool.tryAcquire();
    this.#run.check("F2", lease === undefined, "a listener passed those who wait");
    lease?.release();
  }

  #release(index: number, end: (lease: Lease) => void): void {
    const held = pick(this.#run.held, index);
    if (held === undefined) return;
    this.#run.held.splice(this.#run.held.indexOf(held), 1);
    this.#released.push(held.lease);
    end(held.lease);
  }

  #releaseAgain(index: number): void {
    const lease = pick(this.#released, index);
    if (lease === undefined) return;
    const before = JSON.stringify(this.#run.pool.stats());
    lease.release();
    lease.discard();
    this.#run.check("S5", JSON.stringify(this.#run.pool.stats()) === before, "a second release changed the pool");
  }

  #abort(index: number): void {
    const ask = pick(
      this.#run.asks.filter((each) => each.controller !== undefined && !each.isAborted),
      index,
    );
    if (ask === undefined) return;
    ask.isAborted = true;
    const waitingBefore = this.#run.pool.stats().waiting;
    ask.controller?.abort(new Error("the program gave up"));
    this.#run.check("L5", this.#run.pool.stats().waiting <= waitingBefore, "an abort made the queue longer");
  }

  #setMax(max: number): void {
    if (this.#run.closing !== undefined) return;
    this.#max = max;
    this.#checks.maxChanged(max);
    this.#run.pool.reconfigure(this.#run.options(max));
  }

  #setTerms({ maxUses, acquireMs }: Extract<Command, { do: "set-terms" }>): void {
    if (this.#run.closing !== undefined) return;
    this.#run.terms = { maxUses, acquireMs };
    this.#run.pool.reconfigure(this.#run.options(this.#max));
  }

  #close(): void {
    this.#run.closing ??= this.#run.pool.close({ drainTimeoutMs: DRAIN_MS }).then(() => {
      this.#isClosed = true;
    });
  }

  /** Ends everything well, and checks that everything ends. */
  async #quiesce(): Promise<void> {
    await this.#endWell();
    for (let round = 0; round < 30 && this.#run.asks.some((ask) => ask.state === "pending"); round++) {
      this.#run.world.clock.step(100);
      await this.#endWell();
      this.#checks.always();
    }
    const stuck = this.#run.asks.find((ask) => ask.state === "pending");
    this.#run.check("L1", stuck === undefined, `caller ${stuck?.number} was never answered`);
    if (this.#run.closing === undefined) this.#checks.conservation();
    this.#close();
    for (let round = 0; round < 80 && !this.#isClosed; round++) {
      await settle();
      if (this.#run.world.options.endsAtClose) for (const hook of [...this.#run.world.pending]) hook.end("ok");
      if (round > 10) this.#run.world.clock.step(200);
    }
    this.#run.check("L4", this.#isClosed, "close() did not settle");
    for (const hook of [...this.#run.world.pending]) hook.end("ok");
    await settle();
    this.#checks.leftovers();
  }

  /** Ends every hook well and releases every lease, until nothing more comes of it. */
  async #endWell(): Promise<void> {
    for (let round = 0; round < 500; round++) {
      // However many microtasks that takes.
      await new Promise((resolve) => void setImmediate(resolve));
      if (this.#run.world.pending.length + this.#run.held.length === 0) return;
      for (const hook of [...this.#run.world.pending]) hook.end("ok");
      for (const { lease } of this.#run.held.splice(0)) lease.release();
    }
  }
}
