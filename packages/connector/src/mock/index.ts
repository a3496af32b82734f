export type { MockFault, MockTool } from "./mock-behaviour.ts";
export { type MockConnectorOptions, mockConnector } from "./mock-connector.ts";
