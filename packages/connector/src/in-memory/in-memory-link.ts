import type { ConnectionEndpoint, ConnectRequest } from "@mcp-pool/core";
import type { JSONRPCRequest } from "@modelcontextprotocol/sdk/types.js";
import type { SdkParts } from "../sdk-binding.ts";
import type { Link, OpenProblem, OutgoingRequest } from "../v1/link.ts";
import { ServedTransport, type ServerFactory } from "./served-transport.ts";

/** The link to a server in this process. */
export class InMemoryLink implements Link {
  readonly sdk: SdkParts;
  readonly transport: ServedTransport;
  readonly endpoint: ConnectionEndpoint = { transport: "in-memory" };
  readonly label = "in-memory server";

  constructor(sdk: SdkParts, request: ConnectRequest, serverFactory: ServerFactory) {
    this.sdk = sdk;
    this.transport = new ServedTransport(request, serverFactory);
  }

  sendRequest(message: JSONRPCRequest, request: OutgoingRequest): Promise<void> | undefined {
    const { transport } = this;
    request.sent = !transport.isClosed;
    try {
      transport.deliver(message);
      return undefined;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  forgetRequest(): void {}

  lostCause(): Error | undefined {
    return undefined;
  }

  explain(error: unknown): OpenProblem {
    return { reason: error instanceof Error ? error.message : String(error) };
  }

  async end(): Promise<void> {
    await this.transport.close();
  }
}
