import { type HttpTestServer, startHttpTestServer } from "@mcp-pool/test-server";

/** What a fault over HTTP needs: something done before the call, or while it runs. */
export interface HttpFault {
  before?(server: HttpTestServer): unknown;
  /** The tool takes this long, so that something can happen meanwhile. */
  readonly delayMs?: number;
  during?(server: HttpTestServer): unknown;
  /** Does without the server for a while; the tool runs on the one that is started after it. */
  readonly restarts?: boolean;
}

const CALL = { method: "tools/call" } as const;

/** How to provoke each fault of a server over stdio: what the tool does on its first run. */
export const STDIO_FAULTS: Readonly<Record<string, string>> = {
  "process killed": "crash",
  "process frozen": "freeze",
  "process exits cleanly": "exit",
  "stdout closed": "close-stdout",
  "garbage line": "line",
  "half a line": "half-line",
  "oversized message": "flood",
};

/** How to provoke each fault of a server over HTTP; each meets one request. */
export const HTTP_FAULTS: Readonly<Record<string, HttpFault>> = {
  "connection refused": { restarts: true },
  "connection reset": { before: (server) => server.resetNext(CALL) },
  "no answer": { before: (server) => server.hangNext(CALL) },
  "401": { before: (server) => server.failNext({ status: 401, ...CALL }) },
  "404 for the session": { before: (server) => server.expireSessions() },
  "404 with -32601": { before: (server) => server.failNext({ status: 404, rpcCode: -32_601, ...CALL }) },
  "429 with Retry-After": { before: (server) => server.failNext({ status: 429, retryAfter: 1, ...CALL }) },
  "500": { before: (server) => server.failNext({ status: 500, ...CALL }) },
  "503": { before: (server) => server.failNext({ status: 503, ...CALL }) },
  "event stream cut off": {
    delayMs: 300,
    during: (server) => server.dropStreams({ which: "request", how: "destroy" }),
  },
  "event stream ended in mid-call": {
    delayMs: 300,
    during: (server) => server.dropStreams({ which: "request", how: "end" }),
  },
  "slow drip": { before: (server) => server.dripNext(CALL) },
};

/** A server over HTTP that can be gone for a while, and counts runs over its restarts. */
export class RestartableServer {
  #server: HttpTestServer;

  private constructor(server: HttpTestServer) {
    this.#server = server;
  }

  static async start(): Promise<RestartableServer> {
    return new RestartableServer(await startHttpTestServer());
  }

  get current(): HttpTestServer {
    return this.#server;
  }

  /** Stops the server; the promise within comes back when it listens again. */
  async stopFor(ms: number): Promise<{ readonly isBack: Promise<void> }> {
    const { port } = this.#server;
    await this.#server.close();
    const isBack = new Promise<void>((resolve) => setTimeout(resolve, ms)).then(async () => {
      this.#server = await startHttpTestServer({ port });
    });
    return { isBack };
  }
}
