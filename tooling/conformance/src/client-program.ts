import type { OAuthClientProvider } from "@modelcontextprotocol/sdk/client/auth.js";
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import { authorisingFetch } from "./authorising-fetch.ts";
import { AutomaticUser } from "./automatic-user.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

/** What a client is made with. */
export interface ClientSetup {
  readonly url: string;
  readonly fetch: FetchLike | undefined;
  readonly authProvider: OAuthClientProvider | undefined;
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
export async function runClientProgram(open: (setup: ClientSetup) => Promise<ProgramClient>): Promise<void> {
  const url = process.argv.at(-1) ?? "";
  const scenario = SCENARIOS.find(({ name }) => name === process.env.MCP_CONFORMANCE_SCENARIO);
  if (scenario === undefined) throw new Error(`no scenario ${process.env.MCP_CONFORMANCE_SCENARIO}`);
  const client = await open({ url, ...authorisation(scenario, url), isElicited: scenario.isElicited === true });
  try {
    await client.listTools();
    if (scenario.call !== undefined) await client.callTool(scenario.call);
  } finally {
    await client.close();
  }
}

function authorisation(scenario: Scenario, url: string): Pick<ClientSetup, "fetch" | "authProvider"> {
  const none = { fetch: undefined, authProvider: undefined };
  switch (scenario.authorisation) {
    case "none":
      return none;
    case "user":
      return { ...none, fetch: authorisingFetch(new AutomaticUser(), url) };
    case "registered-user": {
      const user = new AutomaticUser({ client_id: context("client_id"), client_secret: context("client_secret") });
      return { ...none, fetch: authorisingFetch(user, url) };
    }
    case "client-jwt": {
      const [clientId, privateKey] = [context("client_id"), context("private_key_pem")];
      return { ...none, authProvider: new PrivateKeyJwtProvider({ clientId, privateKey, algorithm: "ES256" }) };
    }
    case "client-secret": {
      const [clientId, clientSecret] = [context("client_id"), context("client_secret")];
      return { ...none, authProvider: new ClientCredentialsProvider({ clientId, clientSecret }) };
    }
  }
}

/** Reads what the suite hands a scenario besides the address. */
function context(name: string): string {
  const values: unknown = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}");
  const value = (values as Readonly<Record<string, unknown>>)[name];
  if (typeof value !== "string") throw new Error(`the suite gives no ${name}`);
  return value;
}
