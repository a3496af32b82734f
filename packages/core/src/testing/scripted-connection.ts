import {
  type ClientNotification,
  type CloseReason,
  type ConnectionEndpoint,
  type ConnectionEvent,
  type ConnectionRequestOptions,
  type McpConnection,
  RequestFailure,
  type ServerDescription,
  type ServerNotification,
  type Unsubscribe,
} from "../connector.ts";
import type { Script, Stage } from "./script.ts";

/** One request that a scripted connection was given. */
export interface RecordedRequest {
  /** Number of the connection. */
  readonly connection: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly options: ConnectionRequestOptions;
}

/** What a scripted connection needs of its connector. */
export interface ScriptedConnectionHost {
  readonly stage: Stage;
  readonly requests: Script<RecordedRequest>;
  readonly probes: Script<ScriptedConnection>;
  readonly closes: Script<CloseReason>;
  onRequest(request: RecordedRequest): void;
  onEnded(): void;
}

/** What a scripted connection says of itself. */
export type ScriptedFacts = Pick<McpConnection, "era" | "server" | "suggestedConcurrency">;

/** A connection whose every answer is scripted by its connector. */
export class ScriptedConnection implements McpConnection {
  /** Counted from 1 in the order of the connects. */
  readonly id: number;
  readonly era: McpConnection["era"];
  readonly suggestedConcurrency: number;
  readonly server: ServerDescription;
  readonly endpoint: ConnectionEndpoint = { transport: "in-memory" };
  readonly requests: RecordedRequest[] = [];
  /** Methods of the notifications that it was given. */
  readonly notified: string[] = [];
  /** What it fails such a notification with. */
  notificationFailure: RequestFailure | undefined;
  /** Why it was told to close, once for each time. */
  readonly closes: CloseReason[] = [];
  probes = 0;
  state: "open" | "dead" | "closing" | "closed" = "open";
  readonly #host: ScriptedConnectionHost;
  readonly #notificationListeners = new Set<{ readonly call: (notification: ServerNotification) => void }>();
  readonly #closedListeners = new Set<{ readonly call: (cause: Error | undefined) => void }>();
  readonly #eventListeners = new Set<{ readonly call: (event: ConnectionEvent) => void }>();
  readonly #running = new Set<(error: unknown) => void>();
  #cause: Error | undefined;
  #closing: Promise<void> | undefined;
  #inFlight = 0;
  #peakInFlight = 0;

  constructor(id: number, said: ScriptedFacts, host: ScriptedConnectionHost) {
    this.id = id;
    this.era = said.era;
    this.suggestedConcurrency = said.suggestedConcurrency;
    this.server = said.server;
    this.#host = host;
  }

  /** The connection itself: there is no SDK behind it. */
  get raw(): unknown {
    return this;
  }

  /** Requests that are not answered yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The largest number of requests in flight at one time. */
  get peakInFlight(): number {
    return this.#peakInFlight;
  }

  get listenerCount(): number {
    return this.#notificationListeners.size + this.#closedListeners.size + this.#eventListeners.size;
  }

  request(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: ConnectionRequestOptions,
  ): Promise<unknown> {
    const request: RecordedRequest = { connection: this.id, method, params, options };
    this.requests.push(request);
    this.#host.onRequest(request);
    if (this.state !== "open") {
      return Promise.reject(new RequestFailure("not-sent", `the connection is ${this.state}`, { cause: this.#cause }));
    }
    const { signal } = options;
    const call = {
      kind: "request",
      connection: this.id,
      method,
      signal,
      abortError: (reason: unknown) => new RequestFailure("aborted", "the caller gave up", { cause: reason }),
      result: () => emptyResult(method),
    } as const;
    let end: ((error: unknown) => void) | undefined;
    const forget = () => end !== undefined && this.#running.delete(end);
    const played = this.#host.stage.play(this.#host.requests.take(request), call, (own) => {
      forget();
      end = own;
      this.#running.add(own);
    });
    this.#peakInFlight = Math.max(this.#peakInFlight, ++this.#inFlight);
    return played.finally(() => {
      this.#inFlight--;
      forget();
    });
  }

  probe(signal: AbortSignal): Promise<void> {
    this.probes++;
    const call = {
      kind: "probe",
      connection: this.id,
      signal,
      abortError: (reason: unknown) => reason,
      result: () => undefined,
    } as const;
    return this.#host.stage.play(this.#host.probes.take(this), call) as Promise<void>;
  }

  async sendNotification({ method }: ClientNotification): Promise<void> {
    this.notified.push(method);
    if (this.notificationFailure !== undefined) throw this.notificationFailure;
  }

  onNotification(listener: (notification: ServerNotification) => void): Unsubscribe {
    const own = { call: listener };
    this.#notificationListeners.add(own);
    return () => void this.#notificationListeners.delete(own);
  }

  onClosed(listener: (cause: Error | undefined) => void): Unsubscribe {
    const own = { call: listener };
    if (this.state === "dead") listener(this.#cause);
    else this.#closedListeners.add(own);
    return () => void this.#closedListeners.delete(own);
  }

  onEvent(listener: (event: ConnectionEvent) => void): Unsubscribe {
    const own = { call: listener };
    this.#eventListeners.add(own);
    return () => void this.#eventListeners.delete(own);
  }

  close(reason: CloseReason): Promise<void> {
    this.closes.push(reason);
    if (this.#closing !== undefined) return this.#closing;
    this.state = "closing";
    this.#endAll(undefined);
    const ended = () => {
      this.state = "closed";
      this.#host.onEnded();
    };
    const call = {
      kind: "close",
      connection: this.id,
      abortError: (error: unknown) => error,
      result: () => undefined,
    } as const;
    try {
      const played = this.#host.stage.play(this.#host.closes.take(reason), call) as Promise<void>;
      this.#closing = played.finally(ended);
    } catch (error) {
      ended();
      this.#closing = Promise.reject(error);
      this.#closing.catch(() => {});
      throw error;
    }
    return this.#closing;
  }

  /** Ends the connection as a crash of the server would: what is in flight is lost, and who listens is told. */
  die(cause?: Error): void {
    if (this.state !== "open") return;
    this.state = "dead";
    this.#cause = cause;
    this.#endAll(cause);
    const listeners = [...this.#closedListeners];
    this.#closedListeners.clear();
    for (const listener of listeners) listener.call(cause);
  }

  /** Has the server send a notification. */
  notify(notification: ServerNotification): void {
    for (const listener of [...this.#notificationListeners]) listener.call(notification);
  }

  /** Has the connection tell of itself. */
  tell(event: ConnectionEvent): void {
    for (const listener of [...this.#eventListeners]) listener.call(event);
  }

  #endAll(cause: Error | undefined): void {
    const error = new RequestFailure("outcome-unknown", `the connection is ${this.state}`, { cause });
    for (const end of this.#running) end(error);
    this.#running.clear();
  }
}

/** What a server with nothing to offer answers. */
function emptyResult(method: string): Readonly<Record<string, unknown>> {
  switch (method) {
    case "tools/call":
      return { content: [] };
    case "tools/list":
      return { tools: [] };
    case "resources/list":
      return { resources: [] };
    case "resources/templates/list":
      return { resourceTemplates: [] };
    case "resources/read":
      return { contents: [] };
    case "prompts/list":
      return { prompts: [] };
    case "prompts/get":
      return { messages: [] };
    case "completion/complete":
      return { completion: { values: [] } };
    default:
      return {};
  }
}
