import { crossAppUser } from "./cross-app-user.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { authorisingFetch, type Fetch, type SdkOAuth } from "./sdk-oauth.ts";

/** What a client is made with. */
export interface ClientSetup<Provider> {
  readonly url: string;
  readonly fetch: Fetch | undefined;
  readonly authProvider: Provider | undefined;
  /** Whether it takes elicitations: it announces that defaults are applied, and accepts with nothing filled in. */
  readonly isElicited: boolean;
}

/** A client of either kind. */
export interface ProgramClient {
  listTools(): Promise<unknown>;
  callTool(params: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }): Promise<unknown>;
  close(): Promise<void>;
}

/** Runs the scenario that the suite names in the environment, with a client that is made for it. */
export async function runClientProgram<Provider>(
  oauth: SdkOAuth<Provider>,
  open: (setup: ClientSetup<Provider>) => Promise<ProgramClient>,
): Promise<void> {
  const url = process.argv.at(-1) ?? "";
  const scenario = SCENARIOS.find(({ name }) => name === process.env.MCP_CONFORMANCE_SCENARIO);
  if (scenario === undefined) throw new Error(`no scenario ${process.env.MCP_CONFORMANCE_SCENARIO}`);
  const client = await open({ url, ...authorisation(oauth, scenario, url), isElicited: scenario.isElicited === true });
  try {
    await client.listTools();
    if (scenario.call !== undefined) await client.callTool(scenario.call);
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
      const registration = { client_id: context("client_id"), client_secret: context("client_secret") };
      return { ...none, fetch: authorisingFetch(oauth.user(registration), url) };
    }
    case "client-jwt":
      return { ...none, authProvider: oauth.withKey(context("client_id"), context("private_key_pem")) };
    case "cross-app": {
      const user = crossAppUser({
        idpClientId: context("idp_client_id"),
        idpIdToken: context("idp_id_token"),
        idpTokenEndpoint: context("idp_token_endpoint"),
        clientId: context("client_id"),
        clientSecret: context("client_secret"),
      });
      return { ...none, fetch: authorisingFetch(user, url) };
    }
    case "client-secret":
      return { ...none, authProvider: oauth.withSecret(context("client_id"), context("client_secret")) };
  }
}

/** Reads what the suite hands a scenario besides the address. */
function context(name: string): string {
  const values: unknown = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}");
  const value = (values as Readonly<Record<string, unknown>>)[name];
  if (typeof value !== "string") throw new Error(`the suite gives no ${name}`);
  return value;
}
