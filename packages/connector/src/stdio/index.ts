export { ConnectFailure } from "../connect-failure.ts";
export { type StdioConnectorOptions, stdioConnector } from "./stdio-connector.ts";
