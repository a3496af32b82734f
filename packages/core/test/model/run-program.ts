import { getEventListeners } from "node:events";
import {
  type CloseReason,
  type Lease,
  McpConnectionPool,
  McpPoolError,
  type PoolControl,
  type PooledConnection,
  type PoolPlugin,
} from "../../src/index.ts";
import { ConnectBackoff, InFlightLimit } from "../../src/server-state.ts";
import { type Coverage, type Invariant, Violation } from "./invariants.ts";
import type { Command, Program } from "./program.ts";
import { World, type WorldConnection } from "./world.ts";

const ACQUIRE_MS = 300;
const CONNECT_MS = 500;
const REQUEST_MS = 700;
const LIFETIME_MS = 20_000;
const DRAIN_MS = 2_000;
/** The shortest pause after the second failure in a row, and the longest that is certain. */
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 15_000;
/** How long an abandoned request keeps its room; the pool's own bound. */
const ABANDONED_MS = 30_000;

interface Ask {
  readonly kind: "acquire" | "request";
  readonly number: number;
  readonly key: string | undefined;
  readonly askedAt: number;
  readonly limitAt: number;
  readonly controller: AbortController | undefined;
  state: "pending" | "granted" | "failed";
  isAborted: boolean;
  /** Whether it joined the queue, rather than being served or refused at once. */
  isQueued: boolean;
}

interface Held {
  readonly lease: Lease;
  readonly connection: WorldConnection | undefined;
}

/** Runs one program against a pool, and compares what the pool says with what the world saw. */
export class ProgramRun {
  readonly #program: Program;
  readonly #coverage: Coverage;
  readonly #world: World;
  readonly #pool: McpConnectionPool;
  readonly #asks: Ask[] = [];
  readonly #held: Held[] = [];
  readonly #released: Lease[] = [];
  readonly #signals: AbortSignal[] = [];
  readonly #sent = new Set<number>();
  readonly #connectErrors = new WeakSet<object>();
  readonly #limit: InFlightLimit;
  readonly #backoff: ConnectBackoff;
  #control: PoolControl | undefined;
  #placeBound: number;
  #closing: Promise<void> | undefined;
  #isClosed = false;
  #failure: Violation | undefined;

  constructor(program: Program, coverage: Coverage) {
    const { pool } = program;
    this.#program = program;
    this.#coverage = coverage;
    this.#world = new World(program.world, pool.room);
    this.#placeBound = pool.max;
    this.#limit = new InFlightLimit(pool.limit);
    this.#backoff = new ConnectBackoff(this.#world.clock, undefined);
    const spy: PoolPlugin = {
      name: "spy",
      install: (control) => {
        this.#control = control;
        return {};
      },
    };
    this.#pool = new McpConnectionPool(this.#world, this.#options(pool.max), [spy], {
      clock: this.#world.clock,
      server: { limit: this.#limit, backoff: this.#backoff, toolLimits: new Map(), shared: new Map() },
    });
    // A failure that the pool has not seen when it gives a connect up is none for it.
    this.#pool.subscribe((event) => {
      if (event.type === "connection-opened") this.#barge();
      if (event.type !== "connection-failed") return;
      const now = this.#world.clock.now();
      this.#world.streak.failed(now - event.durationMs, now, this.#pool.stats().counters.lost);
    });
    this.#world.onRequest = (connection, params) => this.#checkRequest(connection, params);
    this.#world.onConnect = () => this.#checkConnect();
    this.#world.onClose = (connection, reason) => this.#checkClose(connection, reason);
  }

  async run(): Promise<void> {
    for (const command of this.#program.commands) {
      this.#coverage.command(command.do);
      await this.#execute(command);
      this.#checkAlways();
      if (this.#failure !== undefined) throw this.#failure;
    }
    await this.#quiesce();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #options(max: number) {
    const { pool } = this.#program;
    return {
      sharing: pool.sharing,
      minConnections: Math.min(pool.min, max),
      maxConnections: max,
      maxWaiting: pool.maxWaiting,
      maxUses: pool.maxUses,
      validateOnAcquire: pool.validateOnAcquire,
      acquireTimeoutMs: ACQUIRE_MS,
      connectionTimeoutMs: CONNECT_MS,
      requestTimeoutMs: REQUEST_MS,
      maxIdleTimeMs: 4_000,
      cleanupIntervalMs: 1_000,
      maxLifetimeMs: LIFETIME_MS,
      onRelease: pool.onRelease === "reset" ? () => this.#world.call("reset", () => {}) : pool.onRelease,
    };
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
        pick(this.#held, command.index)
          ?.lease.request("on-lease", {})
          .catch((error: unknown) => this.#checkError(error));
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
          this.#world.connections.filter((each) => !each.isDead && each.closes === 0),
          command.index,
        )?.die();
        return;
      case "evict": {
        const connection = pick([...(this.#control?.connections() ?? [])], command.index);
        if (connection !== undefined) this.#control?.retire(connection, "evicted");
        return;
      }
      case "complete":
        pick(this.#world.pending, command.index)?.end(command.outcome);
        return;
      case "microtasks":
        for (let count = 0; count < command.count; count++) await undefined;
        return;
      case "settle":
        await settle();
        this.#checkSettled();
        return;
      case "clock":
        this.#world.clock.step(command.ms);
        await settle();
        this.#checkTimes();
        return;
      case "set-max":
        this.#setMax(command.max);
        return;
      case "warm-up":
        this.#pool.warmUp().catch((error: unknown) => this.#checkError(error));
        return;
      case "close":
        this.#close();
    }
  }

  #acquire({ signal, timeoutMs, key }: Extract<Command, { do: "acquire" }>): void {
    const stickyKey = this.#program.pool.sharing === "exclusive" ? key : undefined;
    const ask = this.#ask("acquire", signal, timeoutMs, stickyKey);
    const before = this.#pool.stats();
    this.#pool.acquire({ stickyKey, timeoutMs, signal: ask.controller?.signal }).then(
      (lease) => this.#granted(ask, lease),
      (error: unknown) => this.#failed(ask, error),
    );
    const after = this.#pool.stats();
    ask.isQueued = after.waiting > before.waiting;
    const isHit = after.counters.hits > before.counters.hits;
    const isBarging = isHit && before.waiting > 0 && this.#asks.every((each) => each.key === undefined);
    this.#check("F2", !isBarging, "a newcomer passed those who wait");
  }

  #request({ signal, timeoutMs }: Extract<Command, { do: "request" }>): void {
    const ask = this.#ask("request", signal, timeoutMs ?? REQUEST_MS, undefined);
    const number = ask.number;
    this.#pool.request("echo", { number }, { timeoutMs, signal: ask.controller?.signal }).then(
      (result) => {
        ask.state = "granted";
        const { params } = result as { params: { number: number } };
        this.#check("S10", params.number === number, "an answer went to another request");
      },
      (error: unknown) => this.#failed(ask, error),
    );
  }

  #ask(kind: Ask["kind"], hasSignal: boolean, timeoutMs: number | undefined, key: string | undefined): Ask {
    const controller = hasSignal ? new AbortController() : undefined;
    if (controller !== undefined) this.#signals.push(controller.signal);
    const askedAt = this.#world.clock.now();
    const limitAt = askedAt + (timeoutMs ?? ACQUIRE_MS + CONNECT_MS);
    const number = this.#asks.length;
    const ask: Ask = {
      kind,
      number,
      key,
      askedAt,
      limitAt,
      controller,
      state: "pending",
      isAborted: false,
      isQueued: false,
    };
    this.#asks.push(ask);
    return ask;
  }

  #granted(ask: Ask, lease: Lease): void {
    this.#check("S6", ask.state === "pending", "a caller was served twice");
    ask.state = "granted";
    const connection = this.#worldConnectionOf(lease);
    const earlier = this.#asks.find(
      (each) =>
        each.number < ask.number &&
        each.kind === "acquire" &&
        each.state === "pending" &&
        each.isQueued &&
        !each.isAborted,
    );
    const isInOrder = !ask.isQueued || ask.key !== undefined || earlier === undefined || earlier.key !== undefined;
    this.#check("F1", isInOrder, `caller ${ask.number} was served before caller ${earlier?.number}`);
    this.#hold(lease, connection);
  }

  #hold(lease: Lease, connection: WorldConnection | undefined): void {
    this.#held.push({ lease, connection });
    if (connection === undefined) return;
    this.#checkRoom(connection);
    this.#checkPlace(connection);
  }

  #failed(ask: Ask, error: unknown): void {
    this.#check("S6", ask.state === "pending", "a caller was answered twice");
    ask.state = "failed";
    this.#checkError(error);
    if (!McpPoolError.isInstance(error) || error.code !== "CONNECTION_FAILED") return;
    this.#check("L3", !this.#connectErrors.has(error), "one failed connect failed two callers");
    this.#connectErrors.add(error);
  }

  #tryAcquire(): void {
    const waiting = this.#pool.stats().waiting;
    const lease = this.#pool.tryAcquire();
    if (lease === undefined) return;
    this.#check(
      "F2",
      waiting === 0 || this.#asks.some((ask) => ask.key !== undefined),
      "a newcomer passed those who wait",
    );
    const connection = this.#worldConnectionOf(lease);
    const isGood = connection !== undefined && connection.closes === 0 && !connection.isDead;
    this.#check("S7", isGood, "a lease on a connection that is gone");
    this.#hold(lease, connection);
  }

  /** A listener may call the pool at any time, and gets nothing before those who wait. */
  #barge(): void {
    if (this.#pool.stats().waiting === 0 || this.#asks.some((ask) => ask.key !== undefined)) return;
    const lease = this.#pool.tryAcquire();
    this.#check("F2", lease === undefined, "a listener passed those who wait");
    lease?.release();
  }

  #release(index: number, end: (lease: Lease) => void): void {
    const held = pick(this.#held, index);
    if (held === undefined) return;
    this.#held.splice(this.#held.indexOf(held), 1);
    this.#released.push(held.lease);
    end(held.lease);
  }

  #releaseAgain(index: number): void {
    const lease = pick(this.#released, index);
    if (lease === undefined) return;
    const before = JSON.stringify(this.#pool.stats());
    lease.release();
    lease.discard();
    this.#check("S5", JSON.stringify(this.#pool.stats()) === before, "a second release changed the pool");
  }

  #abort(index: number): void {
    const ask = pick(
      this.#asks.filter((each) => each.controller !== undefined && !each.isAborted),
      index,
    );
    if (ask === undefined) return;
    ask.isAborted = true;
    const waitingBefore = this.#pool.stats().waiting;
    ask.controller?.abort(new Error("the program gave up"));
    this.#check("L5", this.#pool.stats().waiting <= waitingBefore, "an abort made the queue longer");
  }

  #setMax(max: number): void {
    if (this.#closing !== undefined) return;
    this.#placeBound = Math.max(max, Math.min(this.#placeBound, this.#world.places));
    this.#pool.reconfigure(this.#options(max));
  }

  #close(): void {
    this.#closing ??= this.#pool.close({ drainTimeoutMs: DRAIN_MS }).then(() => {
      this.#isClosed = true;
    });
  }

  /** Ends everything well, and checks that everything ends. */
  async #quiesce(): Promise<void> {
    await this.#endWell();
    for (let round = 0; round < 30 && this.#asks.some((ask) => ask.state === "pending"); round++) {
      this.#world.clock.step(100);
      await this.#endWell();
      this.#checkAlways();
    }
    const stuck = this.#asks.find((ask) => ask.state === "pending");
    this.#check("L1", stuck === undefined, `caller ${stuck?.number} was never answered`);
    if (this.#closing === undefined) this.#checkConservation();
    this.#close();
    for (let round = 0; round < 80 && !this.#isClosed; round++) {
      await settle();
      if (this.#world.options.endsAtClose) for (const hook of [...this.#world.pending]) hook.end("ok");
      if (round > 10) this.#world.clock.step(200);
    }
    this.#check("L4", this.#isClosed, "close() did not settle");
    for (const hook of [...this.#world.pending]) hook.end("ok");
    await settle();
    for (const connection of this.#world.connections) {
      this.#check("S8", connection.closes === 1, `a connection was closed ${connection.closes} times`);
      const left = connection.closedListeners.size + connection.notificationListeners.size;
      this.#check("S12", left === 0, `${left} listeners are left on a connection`);
    }
    this.#check("S12", this.#world.clock.timers.size === 0, `${this.#world.clock.timers.size} timers are left`);
    const listeners = this.#signals.reduce((sum, signal) => sum + getEventListeners(signal, "abort").length, 0);
    this.#check("S12", listeners === 0, `${listeners} listeners are left on signals`);
  }

  /** Ends every hook well and releases every lease, until nothing more comes of it. */
  async #endWell(): Promise<void> {
    for (let round = 0; round < 500; round++) {
      // However many microtasks that takes.
      await new Promise((resolve) => void setImmediate(resolve));
      if (this.#world.pending.length + this.#held.length === 0) return;
      for (const hook of [...this.#world.pending]) hook.end("ok");
      for (const { lease } of this.#held.splice(0)) lease.release();
    }
  }

  #checkAlways(): void {
    this.#checkPlaces();
    const { waiting, leases, connections, counters } = this.#pool.stats();
    this.#check("B3", waiting <= this.#program.pool.maxWaiting, `${waiting} wait`);
    this.#check("S4", leases >= this.#held.length, `${leases} leases, ${this.#held.length} held`);
    const { queued, granted, timedOut, aborted, rejected, created, destroyed } = counters;
    this.#check("S4", queued === granted + timedOut + aborted + rejected + waiting, "callers do not add up");
    const { ready, busy, checking, draining, closing } = connections;
    const open = ready + busy + checking + draining + closing;
    this.#check("S4", created === destroyed + open, `${created} opened, ${destroyed} closed, ${open} open`);
    for (const connection of this.#control?.connections() ?? []) this.#checkState(connection);
  }

  #checkState({ state, inFlight, room, stickyKey, id, openedAt }: PooledConnection): void {
    const isInUse = state === "ready" || state === "busy" || state === "checking";
    const ageMs = this.#world.clock.now() - openedAt;
    this.#check("B7", !isInUse || ageMs <= LIFETIME_MS, `connection ${id} is ${state} at the age of ${ageMs} ms`);
    this.#check(
      "S1",
      inFlight >= 0 && inFlight <= Math.max(room, 3),
      `${inFlight} on connection ${id} of room ${room}`,
    );
    const isInPlace = state === "ready" ? inFlight < room : state === "busy" ? inFlight >= room : state !== "closed";
    this.#check("S3", isInPlace || stickyKey !== undefined, `connection ${id} is ${state} with ${inFlight} of ${room}`);
  }

  #checkPlaces(): void {
    const places = this.#world.places;
    this.#check("S2", places <= this.#placeBound, `${places} connections of ${this.#placeBound}`);
    const { max } = this.#pool?.stats().connections ?? this.#program.pool;
    this.#placeBound = Math.max(max, Math.min(this.#placeBound, places));
  }

  #checkRequest(connection: WorldConnection, params: unknown): void {
    this.#checkRoom(connection);
    this.#checkPlace(connection);
    const { number } = params as { number?: number };
    if (number === undefined) return;
    this.#check("S11", !this.#sent.has(number), `request ${number} was sent twice`);
    this.#sent.add(number);
  }

  #checkConnect(): void {
    this.#checkPlaces();
    const { waiting, connections } = this.#pool.stats();
    const wanted = this.#opening;
    const room = this.#program.pool.sharing === "exclusive" ? 1 : this.#program.pool.room;
    const needed = Math.max(Math.ceil(waiting / room), connections.min, 1);
    const { length, lastAt } = this.#world.streak;
    const pauseMs = length < 2 ? 0 : Math.min(SHORTEST_PAUSE_MS * 2 ** (length - 2), LONGEST_PAUSE_MS);
    const sinceMs = this.#world.clock.now() - lastAt;
    this.#check("B2", sinceMs >= pauseMs - 1, `connect ${sinceMs} ms after failure ${length} in a row`);
    this.#check("B4", wanted <= needed, `${wanted} connections are being opened for ${waiting} callers`);
  }

  /** Connects under way that were not given up. */
  get #opening(): number {
    return [...this.#world.connecting].filter(({ givenUpAt }) => givenUpAt === undefined).length;
  }

  #checkClose(connection: WorldConnection, reason: CloseReason): void {
    if (reason === "lifetime") {
      const ageMs = this.#world.clock.now() - connection.openedAt;
      this.#check("B7", ageMs >= 0.975 * LIFETIME_MS, `a connection of ${ageMs} ms was closed for its age`);
    }
    const isUpkeep = reason === "idle" || reason === "lifetime" || reason === "max-uses" || reason === "evicted";
    const isUsed = this.#held.some((held) => held.connection === connection && !held.lease.isReleased);
    this.#check("B8", !isUpkeep || !isUsed, `a connection in use was closed: ${reason}`);
    if (reason !== "idle") return;
    const { ready, busy, checking, min } = this.#pool.stats().connections;
    const isBelow = ready + busy + checking < min && this.#program.pool.sharing === "shared";
    this.#check("B8", !isBelow, `${ready + busy + checking} connections are left of at least ${min}`);
  }

  #checkPlace({ place }: WorldConnection): void {
    this.#check("S7", place?.givenUpAt === undefined, "a connection that came too late is used");
  }

  /** What is on a connection, by what the world saw: leases held, and requests that were not abandoned. */
  #checkRoom(connection: WorldConnection): void {
    const leases = this.#held.filter((held) => held.connection === connection && !held.lease.isReleased).length;
    const cap = this.#program.pool.sharing === "exclusive" ? 1 : this.#program.pool.room;
    this.#check("S1", leases <= cap, `${leases} leases on a connection of room ${cap}`);
    if (this.#program.pool.limit !== Infinity) {
      this.#check("S1", this.#held.length <= this.#program.pool.limit, "more leases than the server's limit");
    }
  }

  /** No hook is about to end and no promise is about to settle: nobody may wait beside free room. */
  #checkSettled(): void {
    if (this.#closing !== undefined) return;
    const { waiting, connections } = this.#pool.stats();
    const pending = this.#asks.filter((ask) => ask.state === "pending").length;
    this.#check("S4", waiting <= pending, `${waiting} wait, ${pending} are unanswered`);
    const unkeyed = this.#asks.filter((ask) => ask.state === "pending" && ask.key === undefined).length;
    if (waiting === 0 || unkeyed < pending || this.#limit.free === 0) return;
    const free = [...(this.#control?.connections() ?? [])].find(
      (each) => each.state === "ready" && each.inFlight < each.room && each.stickyKey === undefined,
    );
    // A quiet connection may wait for the outcome of another one's probe.
    const isProbed = this.#program.pool.validateOnAcquire && connections.checking > 0;
    this.#check("L1", free === undefined || isProbed, `${waiting} wait beside a connection with room`);
    const isFull = connections.total >= connections.max;
    const isPaused = this.#backoff.notBefore > this.#world.clock.now();
    const isComing = connections.connecting + connections.checking > 0;
    this.#check("L1", isFull || isComing || isPaused, `${waiting} wait, and nothing is being opened`);
    if (isFull || isPaused || connections.checking > 0) return;
    const opening = this.#opening;
    const room = this.#program.pool.sharing === "exclusive" ? 1 : this.#program.pool.room;
    const callers = Math.min(waiting, this.#limit.free);
    // While connects fail, one at a time is tried.
    const isEnough = opening * room >= callers || (this.#backoff.isFailing && opening > 0);
    this.#check("L2", isEnough, `${callers} wait, ${opening} connections are being opened, and more could be`);
  }

  #checkTimes(): void {
    const now = this.#world.clock.now();
    const late = this.#asks.find((ask) => ask.kind === "acquire" && ask.state === "pending" && now > ask.limitAt + 2);
    this.#check("B1", late === undefined, `caller ${late?.number} waits past its time`);
  }

  #checkConservation(): void {
    const { leases, waiting, counters, inFlight } = this.#pool.stats();
    this.#check("S4", leases === 0 && waiting === 0, `${leases} leases and ${waiting} waiters are left`);
    const mayLinger = this.#world.clock.now() < ABANDONED_MS + 1_000;
    if (inFlight > 0 && mayLinger) this.#world.clock.step(ABANDONED_MS + 1_000);
    const after = this.#pool.stats();
    this.#check("S4", after.inFlight === 0, `${after.inFlight} in flight are left`);
    this.#check("S4", counters.borrowed >= counters.granted, "fewer borrowed than granted");
    this.#check(
      "S4",
      this.#limit.free === this.#limit.max || this.#limit.max === Infinity,
      "units of the limit are lost",
    );
  }

  #checkError(error: unknown): void {
    const isKnown =
      McpPoolError.isInstance(error) || (error instanceof Error && error.message === "the program gave up");
    this.#check("S9", isKnown, `a caller got ${String(error)}`);
  }

  #worldConnectionOf(lease: Lease): WorldConnection | undefined {
    const { endpoint } = lease.connection;
    return this.#world.connections.find((each) => each.endpoint === endpoint);
  }

  #check(invariant: Invariant, holds: boolean, message: string): void {
    this.#coverage.invariant(invariant);
    if (!holds) this.#failure ??= new Violation(invariant, message);
  }
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list.length === 0 ? undefined : list[index % list.length];
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await undefined;
}
