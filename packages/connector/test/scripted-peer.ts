import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import type { ConnectableServer } from "../src/index.ts";

/** How a server behaves at one call. */
export const OUTCOMES = ["ok", "error", "throw", "slow", "never"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What a scripted peer does at its first call of each kind; from then on it does well. */
export interface PeerScript {
  make: Outcome;
  initialise: Outcome;
  request: Outcome;
}

const SLOW_MS = 15;

/** Makes servers that speak JSON-RPC by hand, so that each step of a connection can go wrong in each way. */
export class ScriptedPeers {
  /** Servers that were connected, and those of them that were told of the end. */
  connected = 0;
  closed = 0;
  readonly #script: PeerScript;

  constructor(script: PeerScript) {
    this.#script = { ...script };
  }

  make(): ConnectableServer | Promise<ConnectableServer> {
    const server: ConnectableServer = { connect: (transport) => this.#serve(transport) };
    const outcome = this.#take("make");
    if (outcome === "throw") throw new Error("making throws");
    if (outcome === "ok") return server;
    return new Promise((resolve, reject) =>
      play(
        outcome,
        () => resolve(server),
        () => reject(new Error("making fails")),
      ),
    );
  }

  async #serve(transport: Transport): Promise<void> {
    this.connected++;
    transport.onclose = () => {
      transport.onclose = () => {};
      this.closed++;
    };
    transport.onmessage = (message: JSONRPCMessage) => {
      if (!("id" in message) || !("method" in message)) return;
      const { id, method } = message;
      const outcome = method === "initialize" || method === "tools/call" ? this.#take(KINDS[method]) : "ok";
      if (outcome === "throw") throw new Error(`${method} throws`);
      // The connection may have closed meanwhile.
      const send = (answer: object) =>
        void transport.send({ jsonrpc: "2.0", id, ...answer } as JSONRPCMessage).catch(() => {});
      play(
        outcome,
        () => send({ result: method === "initialize" ? INITIALIZED : { content: [] } }),
        () => send({ error: { code: -32_000, message: `${method} fails` } }),
      );
    };
    await transport.start();
  }

  #take(step: keyof PeerScript): Outcome {
    const outcome = this.#script[step];
    this.#script[step] = "ok";
    return outcome;
  }
}

const KINDS = { initialize: "initialise", "tools/call": "request" } as const;

const INITIALIZED = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "peer", version: "1" },
};

function play(outcome: Outcome, succeed: () => void, fail: () => void): void {
  if (outcome === "ok") succeed();
  else if (outcome === "error") fail();
  else if (outcome === "slow") setTimeout(succeed, SLOW_MS);
}
