import { crossAppUser } from "./cross-app-user.ts";
import { LEGACY_SCENARIOS, MODERN_SCENARIOS, type Scenario } from "./scenarios.ts";
import type { Context, ProgramClient } from "./scripts.ts";
import { authorisingFetch, type Fetch, type SdkOAuth } from "./sdk-oauth.ts";

/** What a client is made with. */
export interface ClientSetup<Provider> {
  readonly url: string;
  readonly fetch: Fetch | undefined;
  readonly authProvider: Provider | undefined;
  /** What its user answers when asked; without it, it takes no questions. */
  readonly elicited: Readonly<Record<string, boolean>> | undefined;
  /** Whether it can do all that a server may ask of it. */
  readonly isAble: boolean;
  /** Whether it is to speak the protocol of 2026-07-28, if the server does. */
  readonly isModern: boolean;
}

/** Runs the scenario that the suite names in the environment, with a client that is made for it. */
export async function runClientProgram<Provider>(
  oauth: SdkOAuth<Provider>,
  open: (setup: ClientSetup<Provider>) => Promise<ProgramClient>,
): Promise<void> {
  const url = process.argv.at(-1) ?? "";
  const isModern = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION === "2026-07-28";
  const scenarios = isModern ? MODERN_SCENARIOS : LEGACY_SCENARIOS;
  const scenario = scenarios.find(({ name }) => name === process.env.MCP_CONFORMANCE_SCENARIO);
  if (scenario === undefined) throw new Error(`no scenario ${process.env.MCP_CONFORMANCE_SCENARIO}`);
  const { elicited, isAble = false } = scenario;
  const client = await open({ url, ...authorisation(oauth, scenario, url), elicited, isAble, isModern });
  try {
    await scenario.script(client, context());
  } finally {
    await client.close();
  }
}

function authorisation<Provider>(
  oauth: SdkOAuth<Provider>,
  scenario: Scenario,
  url: string,
): Pick<ClientSetup<Provider>, "fetch" | "authProvider"> {
  const none = { fetch: undefined, authProvider: undefined };
  switch (scenario.authorisation) {
    case "none":
      return none;
    case "user":
      return { ...none, fetch: authorisingFetch(oauth.user(), url) };
    case "registered-user": {
      const registration = { client_id: given("client_id"), client_secret: given("client_secret") };
      return { ...none, fetch: authorisingFetch(oauth.user(registration), url) };
    }
    case "client-jwt":
      return { ...none, authProvider: oauth.withKey(given("client_id"), given("private_key_pem")) };
    case "cross-app": {
      const user = crossAppUser({
        idpClientId: given("idp_client_id"),
        idpIdToken: given("idp_id_token"),
        idpTokenEndpoint: given("idp_token_endpoint"),
        clientId: given("client_id"),
        clientSecret: given("client_secret"),
      });
      return { ...none, fetch: authorisingFetch(user, url) };
    }
    case "client-secret":
      return { ...none, authProvider: oauth.withSecret(given("client_id"), given("client_secret")) };
  }
}

function context(): Context {
  return JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}") as Context;
}

/** Reads one value of what the suite hands a scenario besides the address. */
function given(name: string): string {
  const value = context()[name];
  if (typeof value !== "string") throw new Error(`the suite gives no ${name}`);
  return value;
}
