import { RequestFailure } from "@mcp-pool/core";
import type { PendingRequest } from "./pending-request.ts";

/** Servers that obey a cancellation never answer, so the wait for a late answer needs an end. */
const MAX_WAIT_MS = 60_000;
const MAX_REQUESTS = 1_024;

/** The requests whose callers gave up, for as long as their late answers are waited for. */
export class AbandonedRequests {
  readonly #timers = new Map<PendingRequest, NodeJS.Timeout>();

  add(request: PendingRequest): void {
    const timer = setTimeout(() => giveUp(request), MAX_WAIT_MS);
    timer.unref();
    this.#timers.set(request, timer);
    const [oldest] = this.#timers.keys();
    if (oldest !== undefined && this.#timers.size > MAX_REQUESTS) giveUp(oldest);
  }

  delete(request: PendingRequest): void {
    const timer = this.#timers.get(request);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(request);
  }
}

/** Ends the request, which deletes it here. */
function giveUp(request: PendingRequest): void {
  request.fail(new RequestFailure("aborted", "its late answer is no longer waited for"));
}
