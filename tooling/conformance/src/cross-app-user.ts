import type { AuthorisingUser } from "./sdk-oauth.ts";

/** What a client has of its enterprise's identity provider, and of the authorization server. */
export interface CrossAppCredentials {
  readonly idpClientId: string;
  readonly idpIdToken: string;
  readonly idpTokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * A user whom an enterprise's identity provider vouches for (SEP-990): the client exchanges the user's identity token for a
 * grant, and the grant for an access token. The same for both SDKs, which leave this to the application.
 */
export function crossAppUser(credentials: CrossAppCredentials): AuthorisingUser {
  let accessToken: string | undefined;
  return {
    get accessToken() {
      return accessToken;
    },
    async authorise(_refusal, serverUrl) {
      const resource = await getJson(new URL("/.well-known/oauth-protected-resource/mcp", serverUrl));
      const [issuer] = resource.authorization_servers as readonly string[];
      const server = await getJson(new URL("/.well-known/oauth-authorization-server", issuer));
      const grant = await postForm(credentials.idpTokenEndpoint, {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        requested_token_type: "urn:ietf:params:oauth:token-type:id-jag",
        subject_token: credentials.idpIdToken,
        subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
        audience: String(server.issuer),
        resource: String(resource.resource),
        client_id: credentials.idpClientId,
      });
      const secret = `${encodeURIComponent(credentials.clientId)}:${encodeURIComponent(credentials.clientSecret)}`;
      const token = await postForm(
        String(server.token_endpoint),
        { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: String(grant.access_token) },
        { authorization: `Basic ${Buffer.from(secret).toString("base64")}` },
      );
      accessToken = String(token.access_token);
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

async function getJson(url: URL): Promise<Json> {
  return read(await fetch(url));
}

async function postForm(url: string, fields: Readonly<Record<string, string>>, headers: Record<string, string> = {}) {
  return read(await fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) }));
}

async function read(response: Response): Promise<Json> {
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as Json;
}
