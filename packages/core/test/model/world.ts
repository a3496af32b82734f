import {
  type Clock,
  type CloseReason,
  type ConnectionRequestOptions,
  type Connector,
  type ConnectRequest,
  type McpConnection,
  RequestFailure,
  type ServerNotification,
  type StartRequest,
  type Timer,
} from "../../src/index.ts";
import { startRequestOn } from "./start-request.ts";

/** What the world does at one call of a hook, and when. */
export type Outcome = "ok" | "error" | "throw";
export type HookKind = "connect" | "probe" | "close" | "request" | "reset";

/** How long a hook that ignores its end holds a place; the pool's own bound. */
const GRACE_MS = 10_000;

/** A connection that is lost before this age counts as a failed connect. */
const SHORT_LIFE_MS = 10_000;

/** One call of a hook that has not ended. */
export interface Hook {
  readonly kind: HookKind;
  end(outcome: Outcome): void;
}

/** How the world of one program behaves. */
export interface WorldOptions {
  /** Which of the coming calls end by themselves, in turn; the others wait for the program. */
  readonly automatic: readonly boolean[];
  /** How the coming calls end: a finite budget of faults, then all is well. */
  readonly faults: readonly Outcome[];
  /** Whether connects and requests end when they are aborted. */
  readonly honoursAbort: boolean;
  /** Whether calls that wait for the program end once the pool is closed; otherwise they never do. */
  readonly endsAtClose: boolean;
  /** Whether connections take requests without a promise. */
  readonly startsRequests: boolean;
}

/** Time that goes on when the program says so. Timers fire at once, without letting promises run between. */
export class WorldClock implements Clock {
  readonly timers: Set<{ readonly at: number; readonly callback: () => void }> = new Set();
  #now = 1_000;
  #random = 0;

  now(): number {
    return this.#now;
  }

  epochMs(): number {
    return this.#now;
  }

  random(): number {
    this.#random = (this.#random * 16_807 + 11) % 2_147_483_647;
    return this.#random / 2_147_483_647;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { at: this.#now + Math.max(delayMs, 0), callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer), ref: () => {}, unref: () => {} };
  }

  step(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.at);
      this.timers.delete(due);
      due.callback();
    }
    this.#now = until;
  }
}

/** One connect. */
interface Place {
  givenUpAt: number | undefined;
}

/** Connects that failed one after the other; those that were under way together count once. */
export class FailureStreak {
  length = 0;
  lastAt: number = -Infinity;
  #losses = 0;

  /** A connection that was lost since is a failure too, whose pause may be over: then the count begins anew. */
  failed(startedAt: number, now: number, losses: number): void {
    if (startedAt < this.lastAt) return;
    this.length = losses === this.#losses ? this.length + 1 : 1;
    this.#losses = losses;
    this.lastAt = now;
  }

  end(): void {
    this.length = 0;
  }
}

/** One connection as the outside world sees it. */
export class WorldConnection implements McpConnection {
  readonly raw: unknown = {};
  readonly era = "legacy";
  readonly suggestedConcurrency: number;
  readonly server: McpConnection["server"] = { name: "world", version: "1", capabilities: {} };
  readonly endpoint: McpConnection["endpoint"] = { transport: "in-memory" };
  readonly running: Set<ConnectionRequestOptions> = new Set();
  readonly closedListeners: Set<(cause: Error | undefined) => void> = new Set();
  readonly notificationListeners: Set<(notification: ServerNotification) => void> = new Set();
  closes = 0;
  /** The connect it came from; one that was given up is not the pool's any more. */
  place: Place | undefined;
  closingSince: number | undefined;
  readonly openedAt: number;
  isClosed = false;
  isDead = false;
  readonly startRequest: StartRequest | undefined;
  readonly #world: World;

  constructor(world: World, suggestedConcurrency: number) {
    this.#world = world;
    this.startRequest = world.options.startsRequests ? startRequestOn(this, world) : undefined;
    this.openedAt = world.clock.now();
    this.suggestedConcurrency = suggestedConcurrency;
  }

  request(method: string, params: unknown, options: ConnectionRequestOptions): Promise<unknown> {
    if (this.isDead || this.closes > 0) return Promise.reject(new RequestFailure("not-sent", "the connection is gone"));
    this.#world.onRequest(this, params);
    this.running.add(options);
    const answered = this.#world.call("request", () => ({ method, params, content: [] }));
    const settled = answered.finally(() => this.running.delete(options));
    return new Promise((resolve, reject) => {
      settled.then(resolve, (cause: unknown) => reject(new RequestFailure("outcome-unknown", "it broke", { cause })));
      if (!this.#world.options.honoursAbort) return;
      const lateAnswer = settled.then(
        () => {},
        () => {},
      );
      options.signal.addEventListener("abort", () => reject(new RequestFailure("aborted", "gone", { lateAnswer })));
    });
  }

  probe(): Promise<void> {
    this.#world.onProbe();
    return this.#world.call("probe", () => {
      if (this.isDead) throw new Error("dead");
    });
  }

  onNotification(listener: (notification: ServerNotification) => void): () => void {
    this.notificationListeners.add(listener);
    return () => void this.notificationListeners.delete(listener);
  }

  onClosed(listener: (cause: Error | undefined) => void): () => void {
    this.closedListeners.add(listener);
    if (this.isDead) listener(undefined);
    return () => void this.closedListeners.delete(listener);
  }

  close(reason: CloseReason): Promise<void> {
    this.#world.onClose(this, reason);
    this.closes++;
    this.closingSince ??= this.#world.clock.now();
    const end = () => {
      this.isClosed = true;
    };
    return this.#world.call("close", () => {}, end);
  }

  die(): void {
    if (this.isDead || this.closes > 0) return;
    this.isDead = true;
    // The loss of a connection that lived for long clears the pool's memory of failures.
    if (this.#world.clock.now() - this.openedAt >= SHORT_LIFE_MS) this.#world.streak.end();
    for (const listener of [...this.closedListeners]) listener(new Error("killed"));
  }
}

/** A connector whose every hook ends by itself or by the program's hand, well or badly, in any order. */
export class World implements Connector {
  readonly clock: WorldClock = new WorldClock();
  readonly options: WorldOptions;
  readonly suggestedConcurrency: number;
  readonly connections: WorldConnection[] = [];
  readonly pending: Hook[] = [];
  readonly connecting: Set<Place> = new Set();
  readonly streak: FailureStreak = new FailureStreak();
  onRequest: (connection: WorldConnection, params: unknown) => void = () => {};
  onClose: (connection: WorldConnection, reason: CloseReason) => void = () => {};
  onConnect: () => void = () => {};
  onProbe: () => void = () => {};
  readonly #faults: Outcome[];
  #calls = 0;

  constructor(options: WorldOptions, suggestedConcurrency: number) {
    this.options = options;
    this.suggestedConcurrency = suggestedConcurrency;
    this.#faults = [...options.faults];
  }

  connect({ signal }: ConnectRequest): Promise<McpConnection> {
    const place: Place = { givenUpAt: undefined };
    this.connecting.add(place);
    this.onConnect();
    signal.addEventListener("abort", () => {
      place.givenUpAt = this.clock.now();
    });
    const open = () => {
      if (signal.aborted && this.options.honoursAbort) throw signal.reason;
      const connection = new WorldConnection(this, this.suggestedConcurrency);
      connection.place = place;
      this.connections.push(connection);
      if (!signal.aborted) this.streak.end();
      return connection;
    };
    return this.call("connect", open, () => void this.connecting.delete(place));
  }

  /** Connections that take a place: opening, open, and closing, those that gave up their grace left out. */
  get places(): number {
    const isFresh = (since: number | undefined) => since === undefined || this.#isWithin(since);
    const opening = [...this.connecting].filter(({ givenUpAt }) => isFresh(givenUpAt)).length;
    // The pool counts out, after its grace, a connection that came too late, or does not end.
    const counts = ({ isClosed, closingSince, place }: WorldConnection) =>
      !isClosed && isFresh(closingSince) && isFresh(place?.givenUpAt);
    const open = this.connections.filter(counts).length;
    return opening + open;
  }

  #isWithin(since: number): boolean {
    return this.clock.now() - since < GRACE_MS;
  }

  call<T>(kind: HookKind, work: () => T, onEnd: () => void = () => {}): Promise<T> {
    const fault = this.#faults[0];
    if (fault === "throw" && kind !== "request") {
      this.#faults.shift();
      this.#calls++;
      onEnd();
      throw new Error(`${kind} throws`);
    }
    return new Promise<T>((resolve, reject) => {
      this.start(kind, (isGood) => {
        onEnd();
        try {
          if (!isGood) throw new Error(`${kind} fails`);
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Calls back when a hook ends, in the same go. */
  start(kind: HookKind, onEnd: (isGood: boolean) => void): void {
    const fault = this.#faults.shift() ?? "ok";
    const isAutomatic = this.options.automatic[this.#calls++ % this.options.automatic.length] ?? true;
    let isOver = false;
    const end = (asked: Outcome) => {
      if (isOver) return;
      isOver = true;
      const index = this.pending.indexOf(hook);
      if (index >= 0) this.pending.splice(index, 1);
      onEnd(asked === "ok" && fault === "ok");
    };
    const hook: Hook = { kind, end };
    if (isAutomatic) end("ok");
    else this.pending.push(hook);
  }
}
