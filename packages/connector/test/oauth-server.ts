import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpTestServer } from "@mcp-pool/test-server";
import type { OAuthClientProvider } from "@modelcontextprotocol/sdk/client/auth.js";
import type { OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js";
import { onTestFinished } from "vitest";

/** An authorisation server that renews refresh tokens at each use, and takes a second use for theft. */
export interface OAuthServer {
  readonly url: string;
  readonly refreshes: readonly string[];
  /** Whether a refresh token was used twice; then nothing works any more. */
  readonly isRevoked: boolean;
  /** Makes the tokens of a first authorisation. */
  issue(): OAuthTokens;
}

/** Starts one that tells an MCP server of each token; the server takes the latest only. */
export async function startOAuthServer(resource: HttpTestServer, delayMs = 30): Promise<OAuthServer> {
  const used = new Set<string>();
  const refreshes: string[] = [];
  let isRevoked = false;
  const issue = (): OAuthTokens => {
    const access = randomUUID();
    resource.requireBearerToken(access);
    return { access_token: access, token_type: "Bearer", refresh_token: randomUUID(), issuer: url() };
  };
  const refresh = (token: string): OAuthTokens | undefined => {
    refreshes.push(token);
    if (used.has(token)) isRevoked = true;
    used.add(token);
    return isRevoked ? undefined : issue();
  };
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (pathname === "/.well-known/oauth-authorization-server") {
      return json(200, {
        issuer: url(),
        authorization_endpoint: `${url()}/authorize`,
        token_endpoint: `${url()}/token`,
        response_types_supported: ["code"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: ["none"],
        code_challenge_methods_supported: ["S256"],
      });
    }
    if (pathname !== "/token") return json(404, {});
    let body = "";
    for await (const chunk of request) body += chunk;
    const form = new URLSearchParams(body);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const tokens = form.get("grant_type") === "refresh_token" ? refresh(form.get("refresh_token") ?? "") : undefined;
    json(tokens === undefined ? 400 : 200, tokens ?? { error: "invalid_grant" });
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url(),
    refreshes,
    get isRevoked() {
      return isRevoked;
    },
    issue,
  };
}

/** Where the tokens of a user are kept; several providers may share it. */
export interface TokenStore {
  tokens: OAuthTokens | undefined;
}

/** A provider of the SDK with its tokens in a store. */
export function providerOf(server: OAuthServer, store: TokenStore): OAuthClientProvider {
  return {
    redirectUrl: "http://127.0.0.1/callback",
    clientMetadata: { redirect_uris: ["http://127.0.0.1/callback"] },
    clientInformation: () => ({ client_id: "pool" }),
    tokens: async () => {
      const { tokens } = store;
      await new Promise((resolve) => setTimeout(resolve, 1));
      return tokens;
    },
    saveTokens: (tokens) => {
      store.tokens = tokens;
    },
    redirectToAuthorization: () => undefined,
    saveCodeVerifier: () => undefined,
    codeVerifier: () => "",
    discoveryState: () => ({ authorizationServerUrl: server.url }),
  };
}
