import {
  auth,
  ClientCredentialsProvider,
  extractWWWAuthenticateParams,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from "@modelcontextprotocol/client";
import { AutomaticUser } from "./automatic-user.ts";
import type { SdkOAuth } from "./sdk-oauth.ts";

/** OAuth by the 2.x SDK. */
export const oauthV2: SdkOAuth<OAuthClientProvider> = {
  user(registration) {
    const user = new AutomaticUser<StoredOAuthClientInformation, StoredOAuthTokens>(registration);
    return {
      get accessToken() {
        return user.tokens()?.access_token;
      },
      async authorise(refusal, serverUrl) {
        const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refusal);
        const options = {
          serverUrl,
          ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
          ...(scope !== undefined && { scope }),
        };
        const result = await auth(user, options);
        if (result === "REDIRECT") await auth(user, { ...options, ...user.takeRedirect() });
      },
    };
  },
  withKey: (clientId, privateKey) => new PrivateKeyJwtProvider({ clientId, privateKey, algorithm: "ES256" }),
  withSecret: (clientId, clientSecret) => new ClientCredentialsProvider({ clientId, clientSecret }),
};
