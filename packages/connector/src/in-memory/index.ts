export { ConnectFailure } from "../connect-failure.ts";
export { type InMemoryConnectorOptions, inMemoryConnector } from "./in-memory-connector.ts";
export type { ConnectableServer, ServerFactory } from "./served-transport.ts";
