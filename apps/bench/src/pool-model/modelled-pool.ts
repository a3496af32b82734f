/** A thing that a pool keeps. */
export interface Resource {
  readonly id: number;
  /** Set by a holder who found it broken, for pools that look for themselves. */
  isBroken: boolean;
}

/** What a pool does to make and to end resources; both are scripted by the program under test. */
export interface Hooks {
  create(): Promise<Resource>;
  destroy(resource: Resource): Promise<void>;
}

/** A resource that was granted. */
export interface Grant {
  readonly resource: Resource;
  /** Gives it back; may be called again by a holder who forgot that it did. */
  release(): void;
  /** Gives it back to be destroyed. */
  discard(): void;
}

/** One caller of a pool. */
export interface Asking {
  readonly granted: Promise<Grant>;
  /** Gives up; undefined where a pool has no way to. */
  readonly abort: (() => void) | undefined;
}

/** A pool behind the least interface that all pools have in common. */
export interface ModelledPool {
  acquire(): Asking;
  close(): Promise<unknown>;
}

/** Makes a pool of at most `max` resources, whose callers wait for as long as it takes. */
export type MakePool = (hooks: Hooks, max: number) => ModelledPool;

/** Longer than any program runs, so that nobody's time is up. */
export const PATIENCE_MS = 60_000;
