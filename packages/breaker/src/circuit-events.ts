import type { CircuitState as CircuitStateName } from "@mcp-pool/core";
import { CircuitState, type FailureReason } from "cockatiel";
import { SafeEvent } from "./safe-event.ts";

/** One change of the state that callers meet. */
export interface CircuitTransition {
  readonly from: CircuitStateName;
  readonly to: CircuitStateName;
  /** Whether the circuit was forced, or a force was taken back. */
  readonly isForced: boolean;
  readonly retryAfterMs: number | undefined;
}

/** Tells listeners of transitions: in their order, also when a listener causes the next one, and after the change is complete. */
export class CircuitEvents {
  readonly onTransition: SafeEvent<CircuitTransition>;
  readonly onBreak: SafeEvent<FailureReason<unknown> | { isolated: true }>;
  readonly onReset: SafeEvent<void>;
  readonly onHalfOpen: SafeEvent<void>;
  readonly onStateChange: SafeEvent<CircuitState>;
  readonly #queue: (() => void)[] = [];
  #isTelling = false;

  constructor(report: (error: unknown) => void) {
    this.onTransition = new SafeEvent(report);
    this.onBreak = new SafeEvent(report);
    this.onReset = new SafeEvent(report);
    this.onHalfOpen = new SafeEvent(report);
    this.onStateChange = new SafeEvent(report);
  }

  tell(transition: CircuitTransition, reason: FailureReason<unknown>): void {
    this.#queue.push(() => this.#emit(transition, reason));
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
    this.#isTelling = false;
  }

  #emit(transition: CircuitTransition, reason: FailureReason<unknown>): void {
    switch (transition.to) {
      case "open":
        this.onBreak.emit(transition.isForced ? { isolated: true } : reason);
        this.onStateChange.emit(transition.isForced ? CircuitState.Isolated : CircuitState.Open);
        break;
      case "half-open":
        this.onHalfOpen.emit();
        this.onStateChange.emit(CircuitState.HalfOpen);
        break;
      case "closed":
        this.onReset.emit();
        this.onStateChange.emit(CircuitState.Closed);
    }
    this.onTransition.emit(transition);
  }
}
