import { auth, extractWWWAuthenticateParams, UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { AutomaticUser } from "./automatic-user.ts";

/** Makes a fetch that has its user authorise it when the server refuses a request, and then repeats the request once. */
export function authorisingFetch(user: AutomaticUser, serverUrl: string): FetchLike {
  const send: FetchLike = (url, init) => {
    const headers = new Headers(init?.headers);
    const token = user.tokens()?.access_token;
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    return fetch(url, { ...init, headers });
  };

  async function authorise(refusal: Response): Promise<void> {
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refusal);
    const options = {
      serverUrl,
      ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
      ...(scope !== undefined && { scope }),
    };
    const result = await auth(user, options);
    if (result === "REDIRECT") await auth(user, { ...options, authorizationCode: user.takeCode() });
  }

  return async (url, init) => {
    const response = await send(url, init);
    if (!isRefusal(response)) return response;
    await authorise(response);
    const repeated = await send(url, init);
    if (isRefusal(repeated)) throw new UnauthorizedError(`${String(url)} still answers ${repeated.status}`);
    return repeated;
  };
}

function isRefusal({ status }: Response): boolean {
  return status === 401 || status === 403;
}
