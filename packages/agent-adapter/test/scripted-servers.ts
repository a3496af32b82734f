import { type CallToolResult, McpConnectionManager, type Tool } from "@mcp-pool/core";
import { ok, type RecordedRequest, ScriptedConnector } from "@mcp-pool/core/testing";
import { onTestFinished } from "vitest";

/** A manager of scripted servers, one connector each. */
export interface ScriptedServers {
  readonly manager: McpConnectionManager;
  readonly connectors: Readonly<Record<string, ScriptedConnector>>;
  /** Methods of the requests of a server, in their order. */
  methods(server: string): readonly string[];
  /** Parameters of the calls of tools of a server. */
  calls(server: string): readonly unknown[];
  /** Changes a server's tools, and has it say so. */
  change(server: string, tools: readonly Tool[]): void;
}

/** Makes a tool whose objects are frozen through and through, as nobody may change what a server sent. */
export function tool(name: string, more: Partial<Tool> = {}): Tool {
  return deepFreeze({ name, inputSchema: { type: "object" }, ...more });
}

/** Makes servers that list these tools, and answer each call with what was called. */
export function scriptedServers(servers: Readonly<Record<string, readonly Tool[]>>): ScriptedServers {
  const offered: Record<string, readonly Tool[]> = { ...servers };
  const connectors = Object.fromEntries(
    Object.keys(servers).map((server) => {
      const answer = ({ method, params }: RecordedRequest) => {
        if (method === "tools/list") return { tools: [...(offered[server] ?? [])] };
        if (method === "tools/call") return echo(server, params);
        return method === "resources/read"
          ? { contents: [{ uri: params?.uri, text: `of ${server}` }] }
          : { resources: [], resourceTemplates: [], prompts: [], messages: [], completion: { values: [] } };
      };
      const connector = new ScriptedConnector();
      connector.onRequest.always((request) => ok(answer(request)));
      return [server, connector];
    }),
  );
  const manager = new McpConnectionManager({
    pool: { minConnections: 0 },
    servers: Object.fromEntries(Object.entries(connectors).map(([name, connector]) => [name, { connector }])),
  });
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  const requests = (server: string) => connectors[server]?.requests ?? [];
  return {
    manager,
    connectors,
    methods: (server) => requests(server).map(({ method }) => method),
    calls: (server) =>
      requests(server)
        .filter(({ method }) => method === "tools/call")
        .map(({ params }) => params),
    change: (server, tools) => {
      offered[server] = tools;
      for (const connection of connectors[server]?.connections ?? []) {
        connection.notify({ method: "notifications/tools/list_changed" });
      }
    },
  };
}

/** Freezes an object and all that is in it. */
function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const each of Object.values(value)) deepFreeze(each);
  return Object.freeze(value);
}

function echo(server: string, params: RecordedRequest["params"]): CallToolResult {
  const text = `${server}/${String(params?.name)} ${JSON.stringify(params?.arguments)}`;
  return { content: [{ type: "text", text }], ...(params?.name === "broken" ? { isError: true } : {}) };
}
