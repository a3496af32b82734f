import { Socket } from "node:net";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import { Agent, buildConnector, fetch, type RequestInit as UndiciRequestInit } from "undici";
import { postOver, type SendPost } from "./own-post.ts";

/** A fetch with sockets of its own. */
export interface OwnFetch {
  readonly fetch: FetchLike;
  /** Sends POSTs over the same sockets. */
  readonly post: SendPost;
  /** Destroys every socket, whatever is still under way on it; resolves when all are closed. */
  destroy(): Promise<void>;
}

/**
 * Makes a fetch for one connection. The global one keeps idle sockets open for seconds after the last request, and
 * gives up on an answer that takes five minutes to begin or pauses for as long; deadlines are the pool's to set.
 */
export function ownFetch(): OwnFetch {
  const sockets = new Set<Socket>();
  const open = buildConnector({});
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect(options, callback) {
      // The agent forgets sockets that are still connecting. The declared type hides that they are returned.
      const socket: unknown = open(options, callback);
      if (!(socket instanceof Socket)) return;
      sockets.add(socket);
      // A record that TLS cannot read is an error after which Node.js keeps the socket, and undici waits on.
      socket.once("error", () => socket.destroy());
      socket.once("close", () => sockets.delete(socket));
    },
  });
  return {
    post: postOver(agent),
    fetch: async (url, init) => {
      // One standard under two names: undici's own types, and the copy of them that @types/node makes global.
      const ownInit: unknown = { ...init, dispatcher: agent };
      const response: unknown = await fetch(url, ownInit as UndiciRequestInit);
      return response as Response;
    },
    async destroy() {
      await agent.destroy();
      await Promise.all([...sockets].map(destroySocket));
    },
  };
}

function destroySocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    socket.destroy();
  });
}
