export { ConnectFailure } from "../connect-failure.ts";
export { type AuthProviderFactory, type HttpConnectorOptions, httpConnector } from "./http-connector.ts";
export type { HeadersRequest, HeadersSource } from "./identity-headers.ts";
