import { type ConnectorContractOptions, connectorContract } from "@mcp-pool/core/testing";
import {
  createTestServer,
  type HttpTestServer,
  type HttpTestServerOptions,
  startHttpTestServer,
  stdioTestServer,
} from "@mcp-pool/test-server";
import { describe, onTestFinished, test } from "vitest";
import {
  type HttpConnectorOptions,
  httpConnector,
  inMemoryConnector,
  mockConnector,
  stdioConnector,
} from "../src/index.ts";
import { SLOW } from "./connecting.ts";

const call = (name: string, args: object = {}) => ({ method: "tools/call", params: { name, arguments: args } });

const calls = {
  echo: (message: string) => call("echo", { message }),
  error: {
    ...call("throw", { code: -32_001, message: "thrown", data: { why: [1] } }),
    code: -32_001,
    data: { why: [1] },
  },
  slow: call("hang"),
  notify: { ...call("log", { message: "hello" }), notification: "notifications/message" },
} satisfies Partial<ConnectorContractOptions>;

function overHttp(
  transport: NonNullable<HttpConnectorOptions["transport"]>,
  serverOptions: HttpTestServerOptions = {},
): ConnectorContractOptions {
  let server: HttpTestServer | undefined;
  const connect = async (extra: HttpTestServerOptions = {}) => {
    const started = await startHttpTestServer({ ...serverOptions, ...extra });
    onTestFinished(() => started.close());
    server = started;
    return httpConnector({ url: transport === "sse" ? started.sseUrl : started.url, transport });
  };
  return {
    ...calls,
    ...(serverOptions.jsonResponse && { notify: "skip" }),
    connector: () => connect(),
    // A connection over Streamable HTTP never ends by itself: there is nothing that could.
    kill: transport === "sse" ? () => void server?.dropStreams({ which: "listen" }) : "skip",
    refused: () => httpConnector({ url: "http://127.0.0.1:9/mcp", transport }),
    silent: () => connect({ hangOnInitialize: true }),
  };
}

function inMemory(): ConnectorContractOptions {
  let server: ReturnType<typeof createTestServer> | undefined;
  return {
    ...calls,
    connector: () =>
      inMemoryConnector({
        server: () => {
          server = createTestServer();
          return server;
        },
      }),
    kill: async () => server?.close(),
    refused: () => inMemoryConnector({ server: () => Promise.reject(new Error("refused")) }),
    silent: () => inMemoryConnector({ server: () => createTestServer({ hangOnInitialize: true }) }),
  };
}

function leave() {
  return ["tools/call", { name: "leave" }, { signal: new AbortController().signal }] as const;
}

const connectors: Readonly<Record<string, ConnectorContractOptions>> = {
  stdio: {
    ...calls,
    connector: () => stdioConnector(stdioTestServer()),
    kill: ({ endpoint }) => void process.kill(endpoint.processId ?? 0, "SIGKILL"),
    refused: () => stdioConnector({ command: "no-such-command" }),
    silent: () => stdioConnector(stdioTestServer({ TEST_SERVER_HANG_ON_INITIALIZE: "1" })),
  },
  "Streamable HTTP": overHttp("auto"),
  "Streamable HTTP with JSON answers": overHttp("streamable-http", { jsonResponse: true }),
  "Streamable HTTP without sessions": overHttp("streamable-http", { stateless: true }),
  "HTTP+SSE": overHttp("sse"),
  "in memory": inMemory(),
  mocks: {
    echo: calls.echo,
    error: { ...call("fail"), code: -32_603 },
    slow: call("hang"),
    notify: "skip",
    connector: () =>
      mockConnector({
        faults: [
          { kind: "error", tool: "fail" },
          { kind: "hang", tool: "hang" },
          { kind: "disconnect", tool: "leave" },
        ],
      }),
    kill: (connection) => void connection.request(...leave()).catch(() => {}),
    refused: () => mockConnector({ faults: [{ kind: "refuse" }] }),
    silent: () => mockConnector({ connectLatencyMs: 60_000 }),
  },
};

describe.each(Object.entries(connectors))("the connector over %s", SLOW, (_, options) => {
  test.each(connectorContract(options))("$name", ({ run }) => run());
});
