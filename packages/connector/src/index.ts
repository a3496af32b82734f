export { ConnectFailure, type ConnectFailureOptions } from "./connect-failure.ts";
export { type HttpConnectorOptions, httpConnector } from "./http/http-connector.ts";
export { type InMemoryConnectorOptions, inMemoryConnector } from "./in-memory/in-memory-connector.ts";
export type { ConnectableServer, ServerFactory } from "./in-memory/served-transport.ts";
export type { MockFault, MockTool } from "./mock/mock-behaviour.ts";
export { type MockConnectorOptions, mockConnector } from "./mock/mock-connector.ts";
export type { CloseTimeouts } from "./stdio/end-process-tree.ts";
export { type StdioConnectorOptions, stdioConnector } from "./stdio/stdio-connector.ts";
export type { ClientOptions } from "./v1/client-options.ts";
