export { ConnectFailure } from "../connect-failure.ts";
export { type EnvironmentSource, type StdioConnectorOptions, stdioConnector } from "./stdio-connector.ts";
