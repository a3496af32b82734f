import type { Connector } from "@mcp-pool/core";
import { inMemoryConnector } from "../in-memory/in-memory-connector.ts";
import type { ClientOptions } from "../v1/client-options.ts";
import { type MockFault, MockFaults, type MockTool } from "./mock-behaviour.ts";
import { pause } from "./pause.ts";

/** Options of {@link mockConnector}. */
export interface MockConnectorOptions extends ClientOptions {
  /** The tools by name. @default `echo`, and every other name answers with its arguments too */
  readonly tools?: Readonly<Record<string, MockTool>> | undefined;
  /** Milliseconds until a tool answers. @default 0 */
  readonly latencyMs?: number | undefined;
  /** Milliseconds until a connection is open. @default 0 */
  readonly connectLatencyMs?: number | undefined;
  /** What goes wrong; counted over all connections. @default nothing */
  readonly faults?: readonly MockFault[] | undefined;
}

/** Answers in place of a server, in this process, over the protocol itself. */
export function mockConnector(options: MockConnectorOptions = {}): Connector {
  const { tools, latencyMs = 0, connectLatencyMs = 0, faults = [], ...clientOptions } = options;
  const counted = new MockFaults(faults);
  return inMemoryConnector({
    ...clientOptions,
    async server({ serverName, signal }) {
      const refusal = counted.nextConnect();
      await pause(connectLatencyMs, signal);
      if (refusal !== undefined) throw new Error(refusal.message ?? "the mock refuses the connection");
      const { mockServer } = await import("./mock-server.ts");
      return mockServer({ name: serverName, tools, latencyMs, faults: counted });
    },
  });
}
