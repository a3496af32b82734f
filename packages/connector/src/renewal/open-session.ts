import {
  type CloseReason,
  type ConnectionRequestOptions,
  type McpConnection,
  RequestFailure,
  type Unsubscribe,
} from "@mcp-pool/core";

/** One session of a connection that may outlive it: an opened connection, and what is still under way on it. */
export class OpenSession {
  readonly connection: McpConnection;
  readonly openedAt: number = performance.now();
  /** Whether it took the place of another one. */
  readonly isRenewed: boolean;
  /** Undone when the session is closed. */
  readonly unsubscribes: Unsubscribe[] = [];
  #inFlight = 0;
  #onEmpty: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: McpConnection, isRenewed: boolean) {
    this.connection = connection;
    this.isRenewed = isRenewed;
  }

  /** Sends a request; one that is abandoned stays under way until its late answer is in. */
  async send(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: ConnectionRequestOptions,
  ): Promise<unknown> {
    this.#inFlight++;
    let lateAnswer: Promise<unknown> | undefined;
    try {
      return await this.connection.request(method, params, options);
    } catch (error) {
      lateAnswer = error instanceof RequestFailure ? error.lateAnswer : undefined;
      throw error;
    } finally {
      if (lateAnswer === undefined) this.#over();
      else void lateAnswer.then(this.#over, this.#over);
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    this.#inFlight++;
    try {
      await this.connection.probe(signal);
    } finally {
      this.#over();
    }
  }

  /** Calls back once, when nothing is under way any more, or the time for it is up. */
  whenEmpty(listener: () => void, timeoutMs: number): void {
    this.#onEmpty = listener;
    if (this.#inFlight === 0) this.#empty();
    else this.#timer = setTimeout(() => this.#empty(), timeoutMs).unref();
  }

  async close(reason: CloseReason): Promise<void> {
    clearTimeout(this.#timer);
    for (const unsubscribe of this.unsubscribes) unsubscribe();
    await this.connection.close(reason);
  }

  readonly #over = (): void => {
    this.#inFlight--;
    if (this.#inFlight === 0) this.#empty();
  };

  #empty(): void {
    const listener = this.#onEmpty;
    this.#onEmpty = undefined;
    clearTimeout(this.#timer);
    listener?.();
  }
}
