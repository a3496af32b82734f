import {
  callEveryTool,
  callGivenTools,
  callTool,
  echoSchema,
  listOnly,
  roundsOfInput,
  type Script,
  visitEverything,
} from "./scripts.ts";

/** How a client gets its tokens in a scenario. */
export type Authorisation = "none" | "user" | "registered-user" | "client-jwt" | "client-secret" | "cross-app";

/** What a client does in one scenario of a suite. */
export interface Scenario {
  readonly name: string;
  readonly authorisation: Authorisation;
  readonly script: Script;
  /** What the client's user answers when asked; without it, the client takes no questions. */
  readonly elicited?: Readonly<Record<string, boolean>> | undefined;
  /** Whether the client can do all that a server may ask of it. */
  readonly isAble?: boolean | undefined;
}

const authorisedCall = callTool("test-tool");

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
  "resource-mismatch",
  "offline-access-scope",
  "offline-access-not-supported",
];

const AUTHORISATIONS: readonly Scenario[] = [
  ...USER_SCENARIOS.map((name): Scenario => ({ name: `auth/${name}`, authorisation: "user", script: authorisedCall })),
  { name: "auth/pre-registration", authorisation: "registered-user", script: listOnly },
];

/** Every client scenario of the suite for protocol revisions up to 2025-11-25. */
export const LEGACY_SCENARIOS: readonly Scenario[] = [
  { name: "initialize", authorisation: "none", script: listOnly },
  { name: "tools_call", authorisation: "none", script: callTool("add_numbers", { a: 5, b: 3 }) },
  {
    name: "elicitation-sep1034-client-defaults",
    authorisation: "none",
    script: callTool("test_client_elicitation_defaults"),
    // Nothing is filled in, so that the defaults apply.
    elicited: {},
  },
  { name: "sse-retry", authorisation: "none", script: callTool("test_reconnection") },
  ...AUTHORISATIONS,
  ...["2025-03-26-oauth-metadata-backcompat", "2025-03-26-oauth-endpoint-fallback"].map(
    (name): Scenario => ({ name: `auth/${name}`, authorisation: "user", script: authorisedCall }),
  ),
  { name: "auth/client-credentials-jwt", authorisation: "client-jwt", script: listOnly },
  { name: "auth/client-credentials-basic", authorisation: "client-secret", script: listOnly },
  { name: "auth/cross-app-access-complete-flow", authorisation: "cross-app", script: listOnly },
];

/** Every client scenario of the suite for protocol revision 2026-07-28, those of extensions apart. */
export const MODERN_SCENARIOS: readonly Scenario[] = [
  { name: "tools_call", authorisation: "none", script: callTool("add_numbers", { a: 5, b: 3 }) },
  { name: "request-metadata", authorisation: "none", script: listOnly, isAble: true },
  {
    name: "sep-2322-client-request-state",
    authorisation: "none",
    script: roundsOfInput,
    elicited: { confirmed: true },
  },
  { name: "http-standard-headers", authorisation: "none", script: visitEverything },
  { name: "http-custom-headers", authorisation: "none", script: callGivenTools },
  { name: "http-invalid-tool-headers", authorisation: "none", script: callEveryTool },
  { name: "json-schema-ref-no-deref", authorisation: "none", script: listOnly },
  { name: "json-schema-2020-12-preservation", authorisation: "none", script: echoSchema },
  ...AUTHORISATIONS,
  ...[
    "authorization-server-migration",
    "iss-supported",
    "iss-not-advertised",
    "iss-supported-missing",
    "iss-wrong-issuer",
    "iss-unexpected",
    "iss-normalized",
    "metadata-issuer-mismatch",
  ].map((name): Scenario => ({ name: `auth/${name}`, authorisation: "user", script: authorisedCall })),
];
