import {
  type HealthMonitor,
  type HealthStatus,
  McpHealthCheckError,
  type McpPoolError,
  type PoolControl,
  type PoolEvent,
  type PooledConnection,
  type Timer,
} from "@mcp-pool/core";
import { ConnectionChecks, type Finding } from "./connection-checks.ts";
import type { ResolvedHealthOptions } from "./health-options.ts";
import { ServerVerdict } from "./server-verdict.ts";

/** Time between the checks of a server whose circuit is half-open, in milliseconds. */
const FOLLOW_UP_MS = 1_000;

/** A connection lost before this age speaks against a server whose circuit is half-open, in milliseconds. */
const SHORT_LIFE_MS = 10_000;

/** Watches the health of one pool's server: by its traffic first, by probes where there is none. */
export class Monitor implements HealthMonitor {
  readonly #options: ResolvedHealthOptions;
  readonly #pool: PoolControl;
  readonly #verdict: ServerVerdict;
  readonly #checks: ConnectionChecks;
  readonly #unsubscribe: () => void;
  /** Called when the connection that is being opened for a check is open, or has failed. */
  readonly #opened = new Set<(error: McpPoolError | undefined) => void>();
  #circuit: "closed" | "open" | "half-open" = "closed";
  #isHeldOpen = false;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isDisposed = false;

  constructor(options: ResolvedHealthOptions, pool: PoolControl) {
    this.#options = options;
    this.#pool = pool;
    this.#verdict = new ServerVerdict(options, pool.clock);
    this.#checks = new ConnectionChecks(options, pool);
    this.#unsubscribe = pool.subscribe(
      (event) => this.#onEvent(event),
      ["connection-opened", "connection-failed", "connection-closed", "circuit-state-changed"],
    );
  }

  get status(): HealthStatus {
    return this.#verdict.status;
  }

  get isProbing(): boolean {
    return !this.#isDisposed;
  }

  async check(): Promise<HealthStatus> {
    if (!this.#isDisposed) await this.#run(true);
    return this.status;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#unsubscribe();
    this.#timer?.cancel();
    for (const each of [...this.#opened]) each(new McpHealthCheckError("the pool was closed"));
  }

  #onEvent(event: PoolEvent): void {
    switch (event.type) {
      case "connection-opened":
        for (const each of [...this.#opened]) each(undefined);
        if (this.#timer === undefined) this.#schedule(this.#intervalMs);
        return;
      case "connection-failed":
        for (const each of [...this.#opened]) each(event.error);
        if (this.#timer === undefined) this.#schedule(this.#intervalMs);
        return;
      case "connection-closed":
        if (this.#circuit === "half-open" && event.reason === "lost" && event.ageMs < SHORT_LIFE_MS) {
          const { serverName } = this.#pool;
          const message = `MCP server "${serverName}" ended ${Math.round(event.ageMs)} ms after its connection had opened`;
          this.#failed(0, new McpHealthCheckError(message, { serverName, cause: event.cause }));
        }
        return;
      case "circuit-state-changed":
        this.#circuit = event.to;
        this.#isHeldOpen = event.to === "open" && event.retryAfterMs === undefined;
        if (event.to === "half-open") this.#schedule(this.#followUpMs);
        else this.#schedule(event.retryAfterMs === undefined ? this.#intervalMs : Math.ceil(event.retryAfterMs) + 1);
        return;
      default:
    }
  }

  get #intervalMs(): number {
    return this.#options.intervalMs * (0.9 + 0.2 * this.#pool.clock.random());
  }

  get #followUpMs(): number {
    return Math.min(FOLLOW_UP_MS, this.#options.intervalMs);
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#isDisposed) return;
    this.#timer = this.#pool.clock.setTimer(() => void this.#onTimer(), delayMs);
    this.#timer.unref();
  }

  async #onTimer(): Promise<void> {
    // Before the check, which may change the circuit, and with it the schedule.
    this.#schedule(this.#circuit === "closed" ? this.#intervalMs : this.#followUpMs);
    await this.#run(false);
  }

  /** Runs one check at a time, for whoever asks. */
  #run(isAsked: boolean): Promise<void> {
    this.#running ??= this.#checkServer(isAsked)
      .catch((error: unknown) => this.#pool.emit({ type: "listener-failed", error }))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #checkServer(isAsked: boolean): Promise<void> {
    const { clock } = this.#pool;
    const startedAt = clock.now();
    const usable = [...this.#pool.connections()].filter(isUsable);
    this.#checks.keep(new Set(usable.map(({ id }) => id)));
    const isWanted = isAsked || (this.#circuit !== "closed" && !this.#isHeldOpen);
    const isQuiet = ({ lastAliveAt }: PooledConnection) => startedAt - lastAliveAt > this.#options.bypassMs;
    const isFree = ({ inFlight }: PooledConnection) => inFlight === 0 || this.#pool.options.sharing === "shared";
    const asked = usable.filter((each) => isFree(each) && (isWanted || isQuiet(each)));
    const isProven = asked.length < usable.length && usable.some((each) => !isQuiet(each));

    if (asked.length === 0) {
      if (isProven) this.#passed(0);
      else if (usable.length === 0 && isWanted) await this.#checkByOpening(startedAt);
      this.#pool.refill();
      return;
    }
    this.#pool.emit({ type: "health-check-started", timeoutMs: this.#options.timeoutMs });
    const findings = await Promise.all(asked.map((each) => this.#checks.check(each)));
    this.#conclude(findings, isProven, clock.now() - startedAt);
    this.#pool.refill();
  }

  /** Without a connection, the question is whether one can be opened. */
  async #checkByOpening(startedAt: number): Promise<void> {
    const { clock } = this.#pool;
    const opening = this.#nextOpening();
    if (!this.#pool.open()) {
      opening.stop();
      return;
    }
    this.#pool.emit({ type: "health-check-started", timeoutMs: this.#options.timeoutMs });
    const error = await opening.promise;
    if (this.#isDisposed) return;
    if (error !== undefined) {
      this.#failed(clock.now() - startedAt, error);
      return;
    }
    const usable = [...this.#pool.connections()].filter(isUsable);
    const findings = await Promise.all(usable.slice(0, 1).map((each) => this.#checks.check(each)));
    this.#conclude(findings, false, clock.now() - startedAt);
  }

  #nextOpening(): { readonly promise: Promise<McpPoolError | undefined>; stop(): void } {
    const { clock, serverName } = this.#pool;
    const { timeoutMs } = this.#options;
    let stop = () => {};
    const promise = new Promise<McpPoolError | undefined>((resolve) => {
      const end = (error: McpPoolError | undefined) => {
        stop();
        resolve(error);
      };
      const timer = clock.setTimer(() => {
        const message = `MCP server "${serverName}" did not open a connection for a check within ${timeoutMs} ms`;
        end(new McpHealthCheckError(message, { serverName }));
      }, timeoutMs);
      timer.unref();
      stop = () => {
        timer.cancel();
        this.#opened.delete(end);
      };
      this.#opened.add(end);
    });
    return { promise, stop: () => stop() };
  }

  #conclude(findings: readonly Finding[], isProven: boolean, durationMs: number): void {
    if (this.#isDisposed) return;
    const dead = findings.find((each) => each.kind === "dead");
    const unclear = findings.find((each) => each.kind === "unclear");
    if (isProven || findings.some(({ kind }) => kind === "alive")) this.#passed(durationMs);
    else if (dead !== undefined) this.#failed(durationMs, dead.error);
    // A circuit that is not closed has a trial under way, which has to end one way or the other.
    else if (unclear !== undefined && this.#circuit !== "closed") this.#failed(durationMs, unclear.error);
  }

  #passed(durationMs: number): void {
    const { consecutivePasses: passesInRow } = this.#verdict.passed(durationMs);
    const { successThreshold } = this.#options;
    this.#pool.emit({ type: "health-check-passed", durationMs, passesInRow, successThreshold });
  }

  #failed(durationMs: number, error: McpPoolError): void {
    const { consecutiveFailures: failuresInRow } = this.#verdict.failed(durationMs, error);
    const { failureThreshold } = this.#options;
    this.#pool.emit({ type: "health-check-failed", durationMs, failuresInRow, failureThreshold, error });
  }
}

function isUsable({ state }: PooledConnection): boolean {
  return state === "ready" || state === "busy" || state === "checking";
}
