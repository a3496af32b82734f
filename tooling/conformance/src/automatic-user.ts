import type { OAuthClientProvider } from "@modelcontextprotocol/sdk/client/auth.js";
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from "@modelcontextprotocol/sdk/shared/auth.js";

const REDIRECT_URL = "http://localhost:3000/callback";

/** Where the client describes itself, for authorization servers that look it up there. */
const CLIENT_METADATA_URL = "https://conformance-test.local/client-metadata.json";

/** An OAuth client with a user who agrees to everything: the suite's authorization servers redirect without asking. */
export class AutomaticUser implements OAuthClientProvider {
  readonly redirectUrl: string = REDIRECT_URL;
  readonly clientMetadataUrl: string = CLIENT_METADATA_URL;
  readonly clientMetadata: OAuthClientMetadata = { client_name: "mcp-pool conformance", redirect_uris: [REDIRECT_URL] };
  #information: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #codeVerifier = "";
  #code: string | undefined;

  /** @param information of a client that the authorization server knows already */
  constructor(information?: OAuthClientInformationMixed) {
    this.#information = information;
  }

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.#information;
  }

  saveClientInformation(information: OAuthClientInformationMixed): void {
    this.#information = information;
  }

  tokens(): OAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens;
  }

  saveCodeVerifier(codeVerifier: string): void {
    this.#codeVerifier = codeVerifier;
  }

  codeVerifier(): string {
    return this.#codeVerifier;
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    const { headers } = await fetch(url, { redirect: "manual" });
    const location = headers.get("location") ?? "";
    this.#code = URL.canParse(location) ? (new URL(location).searchParams.get("code") ?? undefined) : undefined;
  }

  /** Returns the code that the redirect brought, once. */
  takeCode(): string {
    const code = this.#code;
    this.#code = undefined;
    if (code === undefined) throw new Error("the authorization server redirected without a code");
    return code;
  }
}
