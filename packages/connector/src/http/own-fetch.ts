import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import { Agent, fetch, type RequestInit as UndiciRequestInit } from "undici";

/** A fetch with sockets of its own. */
export interface OwnFetch {
  readonly fetch: FetchLike;
  /** Closes every socket, whatever is still under way on it. */
  destroy(): Promise<void>;
}

/**
 * Makes a fetch for one connection. The global one keeps idle sockets open for seconds after the last request, and
 * gives up on an answer that takes five minutes to begin or pauses for as long; deadlines are the pool's to set.
 */
export function ownFetch(): OwnFetch {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  return {
    fetch: async (url, init) => {
      // One standard under two names: undici's own types, and the copy of them that @types/node makes global.
      const ownInit: unknown = { ...init, dispatcher: agent };
      const response: unknown = await fetch(url, ownInit as UndiciRequestInit);
      return response as Response;
    },
    destroy: () => agent.destroy(),
  };
}
