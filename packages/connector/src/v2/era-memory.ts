import type { PriorDiscovery } from "@modelcontextprotocol/client";

/** Identities whose verdicts are kept; the one that was noted first goes first. */
const MAX_VERDICTS = 1_024;

/**
 * Remembers for some time which protocol era a server speaks, and how it described itself. A description may depend on
 * who asks, so there is one for each authorization context.
 */
export class EraMemory {
  readonly #ttlMs: number;
  readonly #now: () => number;
  readonly #verdicts = new Map<string, { readonly verdict: PriorDiscovery; readonly expiresAt: number }>();

  constructor(ttlMs: number, now: () => number = () => performance.now()) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  recall(context: string): PriorDiscovery | undefined {
    const known = this.#verdicts.get(context);
    if (known === undefined || this.#now() < known.expiresAt) return known?.verdict;
    this.#verdicts.delete(context);
    return undefined;
  }

  remember(context: string, verdict: PriorDiscovery): void {
    this.#verdicts.delete(context);
    this.#verdicts.set(context, { verdict, expiresAt: this.#now() + this.#ttlMs });
    const [oldest] = this.#verdicts.keys();
    if (oldest !== undefined && this.#verdicts.size > MAX_VERDICTS) this.#verdicts.delete(oldest);
  }

  forget(context: string): void {
    this.#verdicts.delete(context);
  }
}
