import { RequestFailure } from "./connector.ts";
import { judgementOf, McpSessionLostError, rememberFailure } from "./errors.ts";

/** A connection whose session may be renewed in place. */
export interface SessionHolder {
  /** Sessions that it has had before this one. */
  readonly renewals: number;
}

/**
 * Makes sure that requests which belong together, such as the pages of a list, meet one session of their connection: what
 * the first one left behind or was told, a cursor for one, went with the session that answered it.
 */
export class OneSession {
  readonly #serverName: string;
  #holder: SessionHolder | undefined;
  #renewals = 0;

  constructor(serverName: string) {
    this.#serverName = serverName;
  }

  /** Takes note of where the first request goes; called before it is sent, and again if it is sent elsewhere. */
  begin(holder: SessionHolder): void {
    this.#holder = holder;
    this.#renewals = holder.renewals;
  }

  /**
   * Sends a request that belongs to the first one.
   * @throws {McpSessionLostError} judged as a lost session, when there is another one in the meantime
   */
  async follow(send: () => Promise<unknown>): Promise<unknown> {
    if (this.#isOver) throw this.#lostError(undefined);
    let result: unknown;
    try {
      result = await send();
    } catch (error) {
      // The new session may refuse what the old one would have known.
      if (this.#isOver && judgementOf(error) === "answered") throw this.#lostError(error);
      throw error;
    }
    if (this.#isOver) throw this.#lostError(undefined);
    return result;
  }

  get #isOver(): boolean {
    return this.#holder !== undefined && this.#holder.renewals !== this.#renewals;
  }

  #lostError(cause: unknown): McpSessionLostError {
    const serverName = this.#serverName;
    const message = `MCP server "${serverName}" has forgotten the session in the middle of requests that belong together`;
    const error = new McpSessionLostError(message, { serverName, cause });
    rememberFailure(error, new RequestFailure("session-lost", message, { cause }));
    return error;
  }
}
