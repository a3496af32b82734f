import { existsSync } from "node:fs";
import { type ConnectionEndpoint, type ConnectionEvent, RequestFailure } from "@mcp-pool/core";
import type { JSONRPCRequest } from "@modelcontextprotocol/sdk/types.js";
import { systemCodeOf } from "../connect-failure.ts";
import type { SdkParts } from "../sdk-binding.ts";
import type { EndManner, Link, OpenProblem, OutgoingRequest } from "../v1/link.ts";
import type { CloseBounds } from "./end-process-tree.ts";
import { type ProcessOptions, StdioTransport } from "./stdio-transport.ts";

/** For a connection that never opened: its server is broken or unwanted, and its slot is needed. */
const HURRIED_TIMEOUTS = { stdinEndMs: 250, terminateMs: 500, killMs: 1_000 };

/** The link to one server process. */
export class StdioLink implements Link {
  readonly sdk: SdkParts;
  readonly transport: StdioTransport;
  readonly label: string;
  readonly #options: ProcessOptions;
  readonly #timeouts: CloseBounds;

  constructor(sdk: SdkParts, options: ProcessOptions, timeouts: CloseBounds) {
    this.sdk = sdk;
    this.label = `command "${options.command}"`;
    this.transport = new StdioTransport(options);
    this.#options = options;
    this.#timeouts = timeouts;
  }

  listen(listener: (event: ConnectionEvent) => void): void {
    const tell = (lines: readonly string[]): void => listener({ type: "stderr-written", lines });
    const early = this.transport.stderrLines;
    if (early.length > 0) tell(early);
    this.transport.onstderr = tell;
  }

  get endpoint(): ConnectionEndpoint {
    return { transport: "stdio", processId: this.transport.processId };
  }

  sendRequest(message: JSONRPCRequest, request: OutgoingRequest): Promise<void> | undefined {
    try {
      this.transport.sendRequest(message, request);
      return undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return Promise.reject(new RequestFailure("not-sent", reason, { cause: error }));
    }
  }

  forgetRequest(): void {}

  lostCause(): Error | undefined {
    return this.transport.lostCause;
  }

  explain(error: unknown): OpenProblem {
    const { cwd } = this.#options;
    if (error === this.transport.lostCause && error instanceof Error) return { reason: error.message };
    const code = systemCodeOf(error);
    if (code === "ENOENT" && cwd !== undefined && !existsSync(cwd)) {
      return { reason: `the working directory "${cwd}" does not exist (ENOENT)` };
    }
    if (code === "ENOENT") {
      const hint = /\s/.test(this.#options.command)
        ? "; if that is a program and its arguments, say these in args"
        : "";
      return { reason: `not found (ENOENT)${hint}` };
    }
    if (code === "EACCES") return { reason: "may not be run (EACCES)" };
    const reason = error instanceof Error ? error.message : String(error);
    return { reason: this.transport.withStderr(reason) };
  }

  end(manner: EndManner): Promise<void> {
    return this.transport.end(manner === "hurried" ? HURRIED_TIMEOUTS : this.#timeouts);
  }
}
