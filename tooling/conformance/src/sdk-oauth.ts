import type { Registration } from "./automatic-user.ts";

/** Takes what both SDKs take as their `fetch`. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** The OAuth parts of one SDK. */
export interface SdkOAuth<Provider> {
  /** Makes a client with a user who can authorise it. */
  user(registration?: Registration): AuthorisingUser;
  /** Makes a client that authorises itself: by a signed assertion, or by its secret. */
  withKey(clientId: string, privateKey: string): Provider;
  withSecret(clientId: string, clientSecret: string): Provider;
}

/** A user who authorises a client when a server refuses it. */
export interface AuthorisingUser {
  readonly accessToken: string | undefined;
  authorise(refusal: Response, serverUrl: string): Promise<void>;
}

/** Makes a fetch that has its user authorise it when the server refuses a request, and then repeats the request once. */
export function authorisingFetch(user: AuthorisingUser, serverUrl: string): Fetch {
  const send: Fetch = (url, init) => {
    const headers = new Headers(init?.headers);
    if (user.accessToken !== undefined) headers.set("authorization", `Bearer ${user.accessToken}`);
    return fetch(url, { ...init, headers });
  };
  return async (url, init) => {
    const response = await send(url, init);
    if (!isRefusal(response)) return response;
    await user.authorise(response, serverUrl);
    const repeated = await send(url, init);
    if (isRefusal(repeated)) throw new Error(`${String(url)} still answers ${repeated.status}`);
    return repeated;
  };
}

function isRefusal({ status }: Response): boolean {
  return status === 401 || status === 403;
}
