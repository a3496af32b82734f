import { RequestFailure } from "@mcp-pool/core";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { Authoriser } from "./authoriser.ts";
import { badHeaders } from "./request-headers.ts";

/**
 * An OAuth provider of the SDK that is used, in the shape that both SDKs' have in common: whoever has installed only one
 * of them has no types of the other.
 */
export interface OAuthProvider {
  get redirectUrl(): string | URL | undefined;
  get clientMetadata(): object;
  clientInformation(): Eventually<object | undefined>;
  tokens(): Eventually<{ access_token: string } | undefined>;
  saveTokens(tokens: never): Eventually<void>;
  redirectToAuthorization(authorizationUrl: URL): Eventually<void>;
  saveCodeVerifier(codeVerifier: string): Eventually<void>;
  codeVerifier(): Eventually<string>;
}

type Eventually<Value> = Value | Promise<Value>;

/** Whether there are tokens now, or the user was asked for them. */
type AuthResult = "AUTHORIZED" | "REDIRECT";

/** What a server's refusal asks for. */
export interface OAuthChallenge {
  readonly resourceMetadataUrl?: URL | undefined;
  readonly scope?: string | undefined;
  readonly error?: string | undefined;
}

/** An SDK's own OAuth. */
export interface OAuthFlow {
  challengeOf(refusal: Response): OAuthChallenge;
  run(
    provider: OAuthProvider,
    terms: OAuthChallenge & {
      readonly serverUrl: URL;
      /** Whether the token was good, but not for this. */
      readonly isStepUp: boolean;
      /** Reaches the authorisation server. */
      readonly fetch: FetchLike;
    },
  ): Promise<AuthResult>;
  /** Makes the SDK's error for a user who has to agree first. */
  unauthorised(): Error;
}

/** The authorisations of one provider. */
interface Flows {
  underWay: Promise<AuthResult> | undefined;
  /** How many have ended. */
  ended: number;
}

const flowsByProvider = new WeakMap<OAuthProvider, Flows>();

/**
 * Drives the SDK's OAuth flow for one connection. The SDKs' transports do that too, but each for itself: requests that
 * are refused at the same time would each spend the refresh token, and some would fail. Here all connections with one
 * provider share one flow.
 */
export class OAuthAuthoriser implements Authoriser {
  readonly #provider: OAuthProvider;
  readonly #serverUrl: URL;
  readonly #fetch: FetchLike;
  readonly #flows: Flows;
  readonly #oauth: OAuthFlow;

  /** @param fetch reaches the authorisation server */
  constructor(provider: OAuthProvider, serverUrl: URL, fetch: FetchLike, oauth: OAuthFlow) {
    this.#oauth = oauth;
    this.#provider = provider;
    this.#serverUrl = serverUrl;
    this.#fetch = fetch;
    this.#flows = flowsByProvider.get(provider) ?? { underWay: undefined, ended: 0 };
    flowsByProvider.set(provider, this.#flows);
  }

  async token(): Promise<string | undefined> {
    for (;;) {
      await this.#flows.underWay?.catch(() => undefined);
      const { ended } = this.#flows;
      const token = await this.#kept();
      // What was read while a flow went on may be out of date.
      if (this.#flows.underWay === undefined && this.#flows.ended === ended) return token;
    }
  }

  async #kept(): Promise<string | undefined> {
    let token: string | undefined;
    try {
      token = (await this.#provider.tokens())?.access_token;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RequestFailure("unauthorised", `the OAuth provider could not supply its token: ${reason}`, { cause });
    }
    // What sends it would quote it.
    if (token !== undefined && badHeaders({ authorization: token }).length > 0) {
      throw new RequestFailure("unauthorised", "the token that the OAuth provider supplied is no valid header");
    }
    return token;
  }

  async answer(refusal: Response, refused: string | undefined): Promise<boolean> {
    const challenge = this.#oauth.challengeOf(refusal);
    if (refusal.status === 401) {
      const token = await this.token();
      if (token !== undefined && token !== refused) return true;
    } else if (refusal.status !== 403 || challenge.error !== "insufficient_scope") {
      return false;
    }
    let result: AuthResult;
    try {
      this.#flows.underWay ??= this.#run(challenge, refusal.status === 403);
      result = await this.#flows.underWay;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RequestFailure("unauthorised", `no token could be obtained: ${reason}`, { cause });
    }
    if (result === "AUTHORIZED") return true;
    const message = "not authorised: the user has to agree first, where the OAuth provider was asked to lead them";
    throw new RequestFailure("unauthorised", message, { cause: this.#oauth.unauthorised() });
  }

  async #run(challenge: OAuthChallenge, isStepUp: boolean): Promise<AuthResult> {
    try {
      const terms = { ...challenge, serverUrl: this.#serverUrl, isStepUp, fetch: this.#fetch };
      return await this.#oauth.run(this.#provider, terms);
    } finally {
      this.#flows.underWay = undefined;
      this.#flows.ended++;
    }
  }
}
