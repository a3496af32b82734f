import { auth, extractWWWAuthenticateParams, type OAuthClientProvider } from "@modelcontextprotocol/sdk/client/auth.js";
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import type { OAuthClientInformationMixed, OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js";
import { AutomaticUser } from "./automatic-user.ts";
import type { SdkOAuth } from "./sdk-oauth.ts";

/** OAuth by the 1.x SDK. */
export const oauthV1: SdkOAuth<OAuthClientProvider> = {
  user(registration) {
    const user = new AutomaticUser<OAuthClientInformationMixed, OAuthTokens>(registration);
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
        if (result === "REDIRECT") {
          const { authorizationCode } = user.takeRedirect();
          await auth(user, { ...options, authorizationCode });
        }
      },
    };
  },
  withKey: (clientId, privateKey) => new PrivateKeyJwtProvider({ clientId, privateKey, algorithm: "ES256" }),
  withSecret: (clientId, clientSecret) => new ClientCredentialsProvider({ clientId, clientSecret }),
};
