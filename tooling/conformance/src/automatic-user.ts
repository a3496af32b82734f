const REDIRECT_URL = "http://localhost:3000/callback";

/** What a client is registered as. */
export interface Registration {
  readonly client_id: string;
  readonly client_secret?: string;
}

/**
 * An OAuth client with a user who agrees to everything, since the suite's authorization servers redirect without asking.
 * It fits the `OAuthClientProvider` of both SDKs.
 */
export class AutomaticUser<Information, Tokens extends { readonly access_token: string }> {
  readonly redirectUrl: string = REDIRECT_URL;
  /** Where the client describes itself, for authorization servers that look it up there. */
  readonly clientMetadataUrl: string = "https://conformance-test.local/client-metadata.json";
  readonly clientMetadata: { client_name: string; redirect_uris: string[] } = {
    client_name: "mcp-pool conformance",
    redirect_uris: [REDIRECT_URL],
  };
  #information: Information | undefined;
  #tokens: Tokens | undefined;
  #codeVerifier = "";
  #redirect: URL | undefined;

  /** @param information of a client that the authorization server knows already */
  constructor(information?: Information) {
    this.#information = information;
  }

  clientInformation(): Information | undefined {
    return this.#information;
  }

  saveClientInformation(information: Information): void {
    this.#information = information;
  }

  tokens(): Tokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: Tokens): void {
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
    this.#redirect = URL.canParse(location) ? new URL(location) : undefined;
  }

  /** Returns what the redirect brought, once: the code, and who says to have issued it (RFC 9207). */
  takeRedirect(): { readonly authorizationCode: string; readonly iss?: string } {
    const parameters = this.#redirect?.searchParams;
    this.#redirect = undefined;
    const authorizationCode = parameters?.get("code") ?? undefined;
    if (authorizationCode === undefined) throw new Error("the authorization server redirected without a code");
    const iss = parameters?.get("iss") ?? undefined;
    return { authorizationCode, ...(iss !== undefined && { iss }) };
  }
}
