/** How a client gets its tokens in a scenario. */
export type Authorisation = "none" | "user" | "registered-user" | "client-jwt" | "client-secret" | "cross-app";

/** What a client does in one scenario of the suite: it lists the tools, and calls one of them. */
export interface Scenario {
  readonly name: string;
  readonly authorisation: Authorisation;
  /** The tool to call, with its arguments. */
  readonly call?: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> } | undefined;
  /** Whether the client answers elicitations: it accepts with nothing filled in, so that the defaults apply. */
  readonly isElicited?: boolean | undefined;
}

const AUTHORISED_CALL = { name: "test-tool", arguments: {} };

/** Scenarios in which a user authorises the client in a browser; all of them go the same way for the client. */
const USER_SCENARIOS = [
  "metadata-default",
  "metadata-var1",
  "metadata-var2",
  "metadata-var3",
  "basic-cimd",
  "scope-from-www-authenticate",
  "scope-from-scopes-supported",
  "scope-omitted-when-undefined",
  "scope-step-up",
  "scope-retry-limit",
  "token-endpoint-auth-basic",
  "token-endpoint-auth-post",
  "token-endpoint-auth-none",
  "2025-03-26-oauth-metadata-backcompat",
  "2025-03-26-oauth-endpoint-fallback",
  "resource-mismatch",
  "offline-access-scope",
  "offline-access-not-supported",
];

/** Every client scenario of the suite. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "initialize", authorisation: "none" },
  { name: "tools_call", authorisation: "none", call: { name: "add_numbers", arguments: { a: 5, b: 3 } } },
  {
    name: "elicitation-sep1034-client-defaults",
    authorisation: "none",
    call: { name: "test_client_elicitation_defaults", arguments: {} },
    isElicited: true,
  },
  { name: "sse-retry", authorisation: "none", call: { name: "test_reconnection", arguments: {} } },
  ...USER_SCENARIOS.map((name): Scenario => ({ name: `auth/${name}`, authorisation: "user", call: AUTHORISED_CALL })),
  { name: "auth/pre-registration", authorisation: "registered-user" },
  { name: "auth/client-credentials-jwt", authorisation: "client-jwt" },
  { name: "auth/client-credentials-basic", authorisation: "client-secret" },
  { name: "auth/cross-app-access-complete-flow", authorisation: "cross-app" },
];
