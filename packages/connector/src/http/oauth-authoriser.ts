import { RequestFailure } from "@mcp-pool/core";
import type { AuthResult, OAuthClientProvider } from "@modelcontextprotocol/sdk/client/auth.js";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { OAuthParts } from "../sdk-binding.ts";

/** The authorisations of one provider. */
interface Flows {
  underWay: Promise<AuthResult> | undefined;
  /** How many have ended. */
  ended: number;
}

const flowsByProvider = new WeakMap<OAuthClientProvider, Flows>();

/**
 * Drives an SDK's OAuth flow for one connection. The SDKs' transports do that too, but each for itself: requests that
 * are refused at the same time would each spend the refresh token, and some would fail. Here all connections with one
 * provider share one flow.
 */
export class OAuthAuthoriser {
  readonly #oauth: OAuthParts;
  readonly #provider: OAuthClientProvider;
  readonly #serverUrl: URL;
  readonly #fetch: FetchLike;
  readonly #flows: Flows;

  /** @param fetch reaches the authorisation server */
  constructor(oauth: OAuthParts, provider: OAuthClientProvider, serverUrl: URL, fetch: FetchLike) {
    this.#oauth = oauth;
    this.#provider = provider;
    this.#serverUrl = serverUrl;
    this.#fetch = fetch;
    this.#flows = flowsByProvider.get(provider) ?? { underWay: undefined, ended: 0 };
    flowsByProvider.set(provider, this.#flows);
  }

  /** Resolves with the token to send, if there is one, once no authorisation is under way. */
  async token(): Promise<string | undefined> {
    for (;;) {
      await this.#flows.underWay?.catch(() => undefined);
      const { ended } = this.#flows;
      const tokens = await this.#provider.tokens();
      // What was read while a flow went on may be out of date.
      if (this.#flows.underWay === undefined && this.#flows.ended === ended) return tokens?.access_token;
    }
  }

  /**
   * Answers a refusal. Resolves with whether there is another token than the refused one, so that the request may be
   * sent again.
   * @throws {RequestFailure} judged as unauthorised, when no token is to be had
   */
  async answer(refusal: Response, refused: string | undefined): Promise<boolean> {
    const { resourceMetadataUrl, scope, error } = this.#oauth.challengeOf(refusal);
    if (refusal.status === 401) {
      const token = await this.token();
      if (token !== undefined && token !== refused) return true;
    } else if (refusal.status !== 403 || error !== "insufficient_scope") {
      return false;
    }
    let result: AuthResult;
    try {
      this.#flows.underWay ??= this.#run(resourceMetadataUrl, scope);
      result = await this.#flows.underWay;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RequestFailure("unauthorised", `no token could be obtained: ${reason}`, { cause });
    }
    if (result === "AUTHORIZED") return true;
    const message = "not authorised: the user has to agree first, where the OAuth provider was asked to lead them";
    throw new RequestFailure("unauthorised", message, { cause: this.#oauth.unauthorizedError() });
  }

  async #run(resourceMetadataUrl: URL | undefined, scope: string | undefined): Promise<AuthResult> {
    try {
      return await this.#oauth.authorise(this.#provider, {
        serverUrl: this.#serverUrl,
        ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
        ...(scope !== undefined && { scope }),
        fetchFn: this.#fetch,
      });
    } finally {
      this.#flows.underWay = undefined;
      this.#flows.ended++;
    }
  }
}
