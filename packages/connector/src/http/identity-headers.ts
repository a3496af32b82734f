import { type ConnectRequest, RequestFailure, type RequestHeaders } from "@mcp-pool/core";
import { badHeaders } from "./request-headers.ts";

/** Who asks for the headers of an HTTP request. */
export interface HeadersRequest {
  readonly serverName: string;
  /** On whose behalf the connection was opened. */
  readonly identity: string | undefined;
  /** Whether the server has just refused the headers it got last, with 401; then it is time for a new token. */
  readonly isRefused: boolean;
}

/** Headers of every request, or a function that supplies them for each one. */
export type HeadersSource =
  | RequestHeaders
  | ((request: HeadersRequest) => RequestHeaders | PromiseLike<RequestHeaders>);

/** For how long a call of the function is shared, in milliseconds: one that never ends must not hold up all who come later. */
const SHARED_MS = 10_000;

/** One call of the function, for all who ask meanwhile. */
class SharedCall {
  readonly #ask: () => Promise<RequestHeaders>;
  #pending: Promise<RequestHeaders> | undefined;
  #startedAt = 0;

  constructor(ask: () => Promise<RequestHeaders>) {
    this.#ask = ask;
  }

  /** The call under way, if there is one that is worth waiting for. */
  get pending(): Promise<RequestHeaders> | undefined {
    return performance.now() - this.#startedAt > SHARED_MS ? undefined : this.#pending;
  }

  join(): Promise<RequestHeaders> {
    return this.pending ?? this.#start();
  }

  #start(): Promise<RequestHeaders> {
    const own = this.#ask().finally(() => {
      if (this.#pending === own) this.#pending = undefined;
    });
    this.#pending = own;
    this.#startedAt = performance.now();
    return own;
  }
}

/** Supplies the headers of one identity. Requests that ask at the same time share one call of the function. */
export class IdentityHeaders {
  readonly #source: HeadersSource;
  readonly #request: Omit<HeadersRequest, "isRefused">;
  /** Set by what a URL says, say. */
  readonly #base: RequestHeaders;
  readonly #fetch = new SharedCall(() => this.#ask(false));
  readonly #refresh = new SharedCall(() => this.#ask(true));
  #latest: RequestHeaders | undefined;

  constructor(source: HeadersSource, base: RequestHeaders, request: Omit<HeadersRequest, "isRefused">) {
    this.#source = source;
    this.#base = base;
    this.#request = request;
    if (typeof source !== "function") this.#latest = { ...base, ...source };
  }

  /** A value where no function has to be asked. @throws {RequestFailure} judged as unauthorised */
  current(): RequestHeaders | Promise<RequestHeaders> {
    if (typeof this.#source !== "function" && this.#latest !== undefined) return this.#latest;
    return this.#refresh.pending ?? this.#fetch.join();
  }

  /** Asks for others in place of those that were refused; undefined where there are none. */
  async renewed(refused: RequestHeaders): Promise<RequestHeaders | undefined> {
    if (typeof this.#source !== "function") return undefined;
    // Somebody else's refusal may have brought new ones meanwhile.
    if (this.#latest !== undefined && !isSame(this.#latest, refused)) return this.#latest;
    const headers = await this.#refresh.join();
    return isSame(headers, refused) ? undefined : headers;
  }

  async #ask(isRefused: boolean): Promise<RequestHeaders> {
    const source = this.#source;
    if (typeof source !== "function") return { ...this.#base, ...source };
    let headers: RequestHeaders;
    try {
      headers = { ...this.#base, ...(await source({ ...this.#request, isRefused })) };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RequestFailure("unauthorised", `the function that supplies headers failed: ${reason}`, { cause });
    }
    const [bad] = badHeaders(headers);
    if (bad !== undefined) {
      throw new RequestFailure("unauthorised", `the header "${bad}" that a function supplied is not valid`);
    }
    this.#latest = headers;
    return headers;
  }
}

/** Keeps what supplies headers for as long as a connection of its identity needs it. */
export class HeadersByIdentity {
  readonly #source: HeadersSource;
  readonly #base: RequestHeaders;
  readonly #kept = new Map<string, { readonly headers: IdentityHeaders; users: number }>();

  /** @param base headers of lower rank than those of the source */
  constructor(source: HeadersSource, base: RequestHeaders) {
    this.#source = source;
    this.#base = base;
  }

  /** Returns the headers of an identity, and what lets go of them. */
  take({ serverName, identity }: Pick<ConnectRequest, "serverName" | "identity">): {
    readonly headers: IdentityHeaders;
    readonly release: () => void;
  } {
    const key = JSON.stringify([serverName, identity]);
    const kept = this.#kept.get(key) ?? {
      headers: new IdentityHeaders(this.#source, this.#base, { serverName, identity }),
      users: 0,
    };
    this.#kept.set(key, kept);
    kept.users++;
    const release = (): void => {
      if (--kept.users === 0) this.#kept.delete(key);
    };
    return { headers: kept.headers, release };
  }
}

function isSame(a: RequestHeaders, b: RequestHeaders): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
