import { getEventListeners } from "node:events";
import { type CloseReason, McpPoolError, type PooledConnection } from "../../src/index.ts";
import { LIFETIME_MS, type RunState } from "./run-state.ts";
import type { WorldConnection } from "./world.ts";

/** The shortest pause after the second failure in a row, and the longest that is certain. */
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 15_000;
/** How long an abandoned request keeps its room; the pool's own bound. */
const ABANDONED_MS = 30_000;

/** Compares what the pool says with what the world saw. */
export class RunChecks {
  readonly #run: RunState;
  readonly #sent = new Set<number>();
  /** How many connections there may be, as long as a lowered maximum is not reached yet. */
  #placeBound: number;
  /** How many leases there may be, as long as a lowered limit is not reached yet. */
  #limitBound: number;

  constructor(run: RunState) {
    this.#run = run;
    this.#placeBound = run.program.pool.max;
    this.#limitBound = run.program.pool.limit;
  }

  /** Takes note of a new maximum. */
  maxChanged(max: number): void {
    this.#placeBound = Math.max(max, Math.min(this.#placeBound, this.#run.world.places));
  }

  /** Takes note that the server's limit has changed. Those beyond it go on. */
  limitChanged(): void {
    this.#limitBound = Math.max(this.#run.limit.max, this.#run.pool.stats().inFlight);
  }

  always(): void {
    this.places();
    const { waiting, leases, connections, counters, inFlight } = this.#run.pool.stats();
    this.#limitBound = Math.max(this.#run.limit.max, Math.min(this.#limitBound, inFlight));
    this.#run.check("B3", waiting <= this.#run.program.pool.maxWaiting, `${waiting} wait`);
    this.#run.check("S4", leases >= this.#run.held.length, `${leases} leases, ${this.#run.held.length} held`);
    const { queued, granted, timedOut, aborted, rejected, created, destroyed } = counters;
    this.#run.check("S4", queued === granted + timedOut + aborted + rejected + waiting, "callers do not add up");
    const { ready, busy, checking, draining, closing } = connections;
    const open = ready + busy + checking + draining + closing;
    this.#run.check("S4", created === destroyed + open, `${created} opened, ${destroyed} closed, ${open} open`);
    const entries = [...(this.#run.control?.connections() ?? [])];
    for (const connection of entries) this.#checkState(connection);
    const listed = (state: string) => entries.filter((each) => each.state === state).length;
    const unused = entries.filter(
      ({ state, inFlight }) => inFlight === 0 && (state === "ready" || state === "checking"),
    );
    const isListed = listed("ready") === ready && listed("busy") === busy && listed("checking") === checking;
    this.#run.check("S3", isListed, `${ready} ready and ${busy} busy connections are listed`);
    this.#run.check("S4", connections.idle === unused.length, `${connections.idle} idle, ${unused.length} are`);
  }

  #checkState({ state, inFlight, room, stickyKey, id, openedAt }: PooledConnection): void {
    const isInUse = state === "ready" || state === "busy" || state === "checking";
    const ageMs = this.#run.world.clock.now() - openedAt;
    this.#run.check("B7", !isInUse || ageMs <= LIFETIME_MS, `connection ${id} is ${state} at the age of ${ageMs} ms`);
    this.#run.check("S1", inFlight >= 0 && inFlight <= room, `${inFlight} on connection ${id} of room ${room}`);
    const isInPlace = state === "ready" ? inFlight < room : state === "busy" ? inFlight >= room : state !== "closed";
    this.#run.check(
      "S3",
      isInPlace || stickyKey !== undefined,
      `connection ${id} is ${state} with ${inFlight} of ${room}`,
    );
  }

  places(): void {
    const places = this.#run.world.places;
    this.#run.check("S2", places <= this.#placeBound, `${places} connections of ${this.#placeBound}`);
    const { max } = this.#run.pool?.stats().connections ?? this.#run.program.pool;
    this.#placeBound = Math.max(max, Math.min(this.#placeBound, places));
  }

  request(connection: WorldConnection, params: unknown): void {
    this.room(connection);
    this.place(connection);
    const number = numberOf(params);
    if (number === undefined) return;
    this.#run.check("S11", !this.#sent.has(number), `request ${number} was sent twice`);
    this.#sent.add(number);
  }

  connect(): void {
    this.places();
    const { waiting, connections } = this.#run.pool.stats();
    const wanted = this.#opening;
    const room = this.#run.program.pool.sharing === "exclusive" ? 1 : this.#run.program.pool.room;
    const needed = Math.max(Math.ceil(waiting / room), connections.min, 1);
    const { length, lastAt } = this.#run.world.streak;
    const pauseMs = length < 2 ? 0 : Math.min(SHORTEST_PAUSE_MS * 2 ** (length - 2), LONGEST_PAUSE_MS);
    const sinceMs = this.#run.world.clock.now() - lastAt;
    this.#run.check("B2", sinceMs >= pauseMs - 1, `connect ${sinceMs} ms after failure ${length} in a row`);
    this.#run.check("B4", wanted <= needed, `${wanted} connections are being opened for ${waiting} callers`);
  }

  /** Connects under way that were not given up. */
  get #opening(): number {
    return [...this.#run.world.connecting].filter(({ givenUpAt }) => givenUpAt === undefined).length;
  }

  close(connection: WorldConnection, reason: CloseReason): void {
    if (reason === "lifetime") {
      const ageMs = this.#run.world.clock.now() - connection.openedAt;
      this.#run.check("B7", ageMs >= 0.975 * LIFETIME_MS, `a connection of ${ageMs} ms was closed for its age`);
    }
    const isUpkeep = reason === "idle" || reason === "lifetime" || reason === "max-uses" || reason === "evicted";
    const isUsed = this.#run.held.some((held) => held.connection === connection && !held.lease.isReleased);
    this.#run.check("B8", !isUpkeep || !isUsed, `a connection in use was closed: ${reason}`);
    if (reason !== "idle") return;
    const { ready, busy, checking, min } = this.#run.pool.stats().connections;
    const isBelow = ready + busy + checking < min && this.#run.program.pool.sharing === "shared";
    this.#run.check("B8", !isBelow, `${ready + busy + checking} connections are left of at least ${min}`);
  }

  place({ place }: WorldConnection): void {
    this.#run.check("S7", place?.givenUpAt === undefined, "a connection that came too late is used");
  }

  /** What is on a connection, by what the world saw: leases held, and requests that were not abandoned. */
  room(connection: WorldConnection): void {
    const leases = this.#run.held.filter((held) => held.connection === connection && !held.lease.isReleased).length;
    const cap = this.#run.program.pool.sharing === "exclusive" ? 1 : this.#run.program.pool.room;
    this.#run.check("S1", leases <= cap, `${leases} leases on a connection of room ${cap}`);
    const isInBounds = this.#run.held.length <= this.#limitBound;
    if (this.#limitBound !== Infinity) this.#run.check("S1", isInBounds, "more leases than the server's limit");
  }

  /** No hook is about to end and no promise is about to settle: nobody may wait beside free room. */
  settled(): void {
    if (this.#run.closing !== undefined) return;
    const { waiting, connections } = this.#run.pool.stats();
    const pending = this.#run.asks.filter((ask) => ask.state === "pending").length;
    this.#run.check("S4", waiting <= pending, `${waiting} wait, ${pending} are unanswered`);
    const unkeyed = this.#run.asks.filter((ask) => ask.state === "pending" && ask.key === undefined).length;
    if (waiting === 0 || unkeyed < pending || this.#run.limit.free === 0) return;
    const free = [...(this.#run.control?.connections() ?? [])].find(
      (each) => each.state === "ready" && each.inFlight < each.room && each.stickyKey === undefined,
    );
    // A quiet connection may wait for the outcome of another one's probe.
    const isProbed = this.#run.program.pool.validateOnAcquire && connections.checking > 0;
    this.#run.check("L1", free === undefined || isProbed, `${waiting} wait beside a connection with room`);
    const isFull = connections.total >= connections.max;
    const isPaused = this.#run.backoff.notBefore > this.#run.world.clock.now();
    const isComing = connections.connecting + connections.checking > 0;
    this.#run.check("L1", isFull || isComing || isPaused, `${waiting} wait, and nothing is being opened`);
    if (isFull || isPaused || connections.checking > 0) return;
    const opening = this.#opening;
    const room = this.#run.program.pool.sharing === "exclusive" ? 1 : this.#run.program.pool.room;
    const callers = Math.min(waiting, this.#run.limit.free);
    // While connects fail, one at a time is tried.
    const isEnough = opening * room >= callers || (this.#run.backoff.isFailing && opening > 0);
    this.#run.check("L2", isEnough, `${callers} wait, ${opening} connections are being opened, and more could be`);
  }

  times(): void {
    const now = this.#run.world.clock.now();
    const late = this.#run.asks.find(
      (ask) => ask.kind === "acquire" && ask.state === "pending" && now > ask.limitAt + 2,
    );
    this.#run.check("B1", late === undefined, `caller ${late?.number} waits past its time`);
  }

  conservation(): void {
    const { leases, waiting, counters, inFlight } = this.#run.pool.stats();
    this.#run.check("S4", leases === 0 && waiting === 0, `${leases} leases and ${waiting} waiters are left`);
    const mayLinger = this.#run.world.clock.now() < ABANDONED_MS + 1_000;
    if (inFlight > 0 && mayLinger) this.#run.world.clock.step(ABANDONED_MS + 1_000);
    const after = this.#run.pool.stats();
    this.#run.check("S4", after.inFlight === 0, `${after.inFlight} in flight are left`);
    this.#run.check("S4", counters.borrowed >= counters.granted, "fewer borrowed than granted");
    // A limit that is set now knows of all that happened while there was none.
    if (this.#run.limit.max === Infinity) this.#run.limit.max = 5;
    const { free, max } = this.#run.limit;
    this.#run.check("S4", free === max, `${free} of ${max} units of the limit are free`);
  }

  /** Looks for what a pool that is closed must not leave behind. */
  leftovers(): void {
    for (const connection of this.#run.world.connections) {
      this.#run.check("S8", connection.closes === 1, `a connection was closed ${connection.closes} times`);
      const left = connection.closedListeners.size + connection.notificationListeners.size;
      this.#run.check("S12", left === 0, `${left} listeners are left on a connection`);
    }
    this.#run.check(
      "S12",
      this.#run.world.clock.timers.size === 0,
      `${this.#run.world.clock.timers.size} timers are left`,
    );
    const listeners = this.#run.signals.reduce((sum, signal) => sum + getEventListeners(signal, "abort").length, 0);
    this.#run.check("S12", listeners === 0, `${listeners} listeners are left on signals`);
  }

  error(error: unknown): void {
    const isKnown =
      McpPoolError.isInstance(error) || (error instanceof Error && error.message === "the program gave up");
    this.#run.check("S9", isKnown, `a caller got ${String(error)}`);
  }
}

/** The number of the caller whose request this is; a tool call has it among its arguments. */
export function numberOf(params: unknown): number | undefined {
  const { number, arguments: own } = params as { number?: number; arguments?: { number: number } };
  return number ?? own?.number;
}
