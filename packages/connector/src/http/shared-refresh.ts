import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";

/** How long the answer to a spent refresh token is kept, in milliseconds: for those who read the token before it was replaced. */
const KEPT_MS = 60_000;

/** The parts of a response that can be given to many. */
interface Answer {
  readonly text: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
}

const answers = new Map<string, Promise<Answer>>();

/**
 * Spends each refresh token once, in the whole process, and shares the answer among all who wanted to spend it: many
 * authorisation servers take a second use for theft, and revoke all tokens.
 */
export function sharedRefresh(fetch: FetchLike): FetchLike {
  return async (url, init) => {
    const key = refreshKey(url, init);
    if (key === undefined) return fetch(url, init);
    let answer = answers.get(key);
    if (answer === undefined) {
      answer = read(fetch(url, init));
      answers.set(key, answer);
      const forget = (): void => void answers.delete(key);
      answer.then(({ status }) => {
        if (status >= 200 && status < 300) setTimeout(forget, KEPT_MS).unref();
        else forget();
      }, forget);
    }
    const { text, ...rest } = await answer;
    return new Response(text, rest);
  };
}

/** Names a refresh by authorisation server, client and refresh token; undefined for all other requests. */
function refreshKey(url: string | URL, init: RequestInit | undefined): string | undefined {
  if (init?.method !== "POST") return undefined;
  const { body } = init;
  const isForm = typeof body === "string" && body.includes("grant_type=refresh_token");
  const form = body instanceof URLSearchParams ? body : isForm ? new URLSearchParams(body) : undefined;
  if (form?.get("grant_type") !== "refresh_token") return undefined;
  // A client may name itself in a header instead.
  const client = form.get("client_id") ?? new Headers(init.headers).get("authorization");
  return JSON.stringify([String(url), client, form.get("refresh_token")]);
}

async function read(pending: Promise<Response>): Promise<Answer> {
  const response = await pending;
  const { status, statusText, headers } = response;
  return { text: await response.text(), status, statusText, headers };
}
