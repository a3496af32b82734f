export { ConnectFailure } from "../connect-failure.ts";
export { type HttpConnectorOptions, httpConnector } from "./http-connector.ts";
