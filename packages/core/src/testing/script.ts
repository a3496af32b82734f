import type { Clock } from "../clock.ts";
import { type Judgement, RequestFailure, type RequestFailureOptions } from "../connector.ts";

/** How one scripted call ends. */
export type Step =
  | { readonly kind: "ok"; readonly value: unknown }
  | { readonly kind: "fail"; readonly error: unknown }
  | { readonly kind: "throw"; readonly error: unknown }
  | { readonly kind: "after"; readonly delayMs: number; readonly next: Step }
  | { readonly kind: "until-aborted" }
  | { readonly kind: "hang" }
  | { readonly kind: "manual" };

/** Succeeds at once; without a value, with whatever the call brings by default. */
export function ok(value?: unknown): Step {
  return { kind: "ok", value };
}

/** Rejects at once. */
export function fail(error: unknown): Step {
  return { kind: "fail", error };
}

/** Rejects at once with a {@link RequestFailure}. */
export function judged(judgement: Judgement, message: string = judgement, options?: RequestFailureOptions): Step {
  return fail(new RequestFailure(judgement, message, options));
}

/** Throws, where a promise was promised. */
export function throwing(error: unknown): Step {
  return { kind: "throw", error };
}

/** Goes on with the next step after a while; ends before that when its signal aborts. */
export function after(delayMs: number, next: Step = ok()): Step {
  return { kind: "after", delayMs, next };
}

/** Ends when its signal aborts, and not before. */
export function untilAborted(): Step {
  return { kind: "until-aborted" };
}

/** Never ends, whatever its signal says. */
export function hang(): Step {
  return { kind: "hang" };
}

/** Waits in `connector.pending` until the test ends it, whatever its signal says. */
export function manual(): Step {
  return { kind: "manual" };
}

/** A step, or a function that chooses one for each call. */
export type Scripted<Call> = Step | ((call: Call) => Step);

/** What one kind of call does: first a list of steps, one for each call, then always the same. */
export class Script<Call> {
  readonly #next: Scripted<Call>[] = [];
  #always: Scripted<Call> = ok();

  /** Adds steps for the next calls, one for each. */
  next(...steps: readonly Scripted<Call>[]): this {
    this.#next.push(...steps);
    return this;
  }

  /** Sets what all calls do for which there is no other step. */
  always(step: Scripted<Call>): this {
    this.#always = step;
    return this;
  }

  take(call: Call): Step {
    const step = this.#next.shift() ?? this.#always;
    return typeof step === "function" ? step(call) : step;
  }
}

/** A call that waits for the test. */
export interface PendingCall {
  readonly kind: "connect" | "request" | "probe" | "close";
  /** Number of the connection, from 1 in the order of the connects. */
  readonly connection: number;
  /** Method of a request. */
  readonly method: string | undefined;
  readonly signal: AbortSignal | undefined;
  resolve(value?: unknown): void;
  reject(error: unknown): void;
}

/** The call that a step is played for. */
export interface PlayedCall {
  readonly kind: PendingCall["kind"];
  readonly connection: number;
  readonly method?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Makes what the call rejects with when its signal aborts. */
  abortError(reason: unknown): unknown;
  /** Makes what it resolves with unless the step says otherwise. */
  result(): unknown;
}

/** Plays the steps of all calls of one connector. */
export class Stage {
  readonly #clock: Clock;
  readonly #pending = new Set<PendingCall>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls that wait for the test, in the order in which they were made. */
  get pending(): readonly PendingCall[] {
    return [...this.#pending];
  }

  /** Plays one step; `end` settles it early, and is of no use to one that hangs. */
  play(step: Step, call: PlayedCall, onEnd: (end: (error: unknown) => void) => void = () => {}): Promise<unknown> {
    const value = (own: unknown) => (own === undefined ? call.result() : own);
    switch (step.kind) {
      case "ok":
        return Promise.resolve(value(step.value));
      case "fail":
        return Promise.reject(step.error);
      case "throw":
        throw step.error;
      case "hang":
        return new Promise(() => {});
      case "until-aborted":
        return new Promise((_resolve, reject) => {
          onEnd(reject);
          onAbort(call, reject);
        });
      case "after":
        return new Promise((resolve, reject) => {
          let stop = () => {};
          const timer = this.#clock.setTimer(() => {
            stop();
            resolve(new Promise((own) => own(this.play(step.next, call, onEnd))));
          }, step.delayMs);
          const end = (error: unknown) => {
            timer.cancel();
            stop();
            reject(error);
          };
          onEnd(end);
          stop = onAbort(call, end);
        });
      case "manual":
        return new Promise((resolve, reject) => {
          const { kind, connection, method, signal } = call;
          const pending: PendingCall = {
            kind,
            connection,
            method,
            signal,
            resolve: (own) => {
              if (this.#pending.delete(pending)) new Promise((done) => done(value(own))).then(resolve, reject);
            },
            reject: (error) => {
              if (this.#pending.delete(pending)) reject(error);
            },
          };
          this.#pending.add(pending);
          onEnd(pending.reject);
        });
    }
  }
}

function onAbort({ signal, abortError }: PlayedCall, end: (error: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  const listener = () => end(abortError(signal.reason));
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
