import { type Clock, systemClock } from "../clock.ts";
import type { CloseReason, Connector, ConnectRequest, McpConnection, ServerDescription } from "../connector.ts";
import { type PendingCall, Script, Stage } from "./script.ts";
import { type RecordedRequest, ScriptedConnection, type ScriptedFacts } from "./scripted-connection.ts";

/** Options of a {@link ScriptedConnector}. */
export interface ScriptedConnectorOptions {
  /** Serves the delays of the script. @default the machine's own clock */
  readonly clock?: Clock | undefined;
  /** What each connection suggests. @default 16 */
  readonly concurrency?: number | undefined;
  /** Whether the connector suggests it already before the first connection. @default true */
  readonly isConcurrencyKnown?: boolean | undefined;
  readonly connectBackoff?: Connector["connectBackoff"];
}

/**
 * Opens connections to no server at all: each connect, request, probe and close does what the script says, and succeeds
 * at once by default. It records everything.
 */
export class ScriptedConnector implements Connector {
  /** What connects do; a value given to `ok()` comes back in place of a connection. */
  readonly onConnect: Script<ConnectRequest> = new Script();
  readonly onRequest: Script<RecordedRequest> = new Script();
  readonly onProbe: Script<ScriptedConnection> = new Script();
  readonly onClose: Script<CloseReason> = new Script();
  readonly suggestedConcurrency: number | undefined;
  readonly connectBackoff: Connector["connectBackoff"];
  /** What the connections opened from now on say of their server. */
  server: ServerDescription = { name: "scripted", version: "1.0.0", capabilities: {} };
  /** The protocol that the connections opened from now on speak. */
  era: McpConnection["era"] = "legacy";
  /** What each connect asked for. */
  readonly connects: ConnectRequest[] = [];
  /** All connections that were opened, in the order of their opening. */
  readonly connections: ScriptedConnection[] = [];
  /** All requests on all connections. */
  readonly requests: RecordedRequest[] = [];
  readonly #stage: Stage;
  readonly #concurrency: number;
  #occupied = 0;
  #peak = 0;

  constructor({
    clock = systemClock,
    concurrency = 16,
    isConcurrencyKnown = true,
    connectBackoff,
  }: ScriptedConnectorOptions = {}) {
    this.#stage = new Stage(clock);
    this.#concurrency = concurrency;
    this.suggestedConcurrency = isConcurrencyKnown ? concurrency : undefined;
    this.connectBackoff = connectBackoff;
  }

  get #facts(): ScriptedFacts {
    return { era: this.era, server: this.server, suggestedConcurrency: this.#concurrency };
  }

  connect(request: ConnectRequest): Promise<ScriptedConnection> {
    this.connects.push(request);
    const connection = new ScriptedConnection(this.connects.length, this.#facts, {
      stage: this.#stage,
      requests: this.onRequest,
      probes: this.onProbe,
      closes: this.onClose,
      onRequest: (own) => void this.requests.push(own),
      onEnded: () => void this.#occupied--,
    });
    this.#occupied++;
    this.#peak = Math.max(this.#peak, this.#occupied);
    const refuse = (error: unknown) => {
      this.#occupied--;
      throw error;
    };
    const open = (result: unknown) => {
      if (result === connection) this.connections.push(connection);
      else this.#occupied--;
      // What a broken connector would return is no connection; that is the point.
      return result as ScriptedConnection;
    };
    const call = {
      kind: "connect",
      connection: connection.id,
      signal: request.signal,
      abortError: (reason: unknown) => reason,
      result: () => connection,
    } as const;
    try {
      return this.#stage.play(this.onConnect.take(request), call).then(open, refuse);
    } catch (error) {
      return refuse(error);
    }
  }

  /** Calls that wait for the test, in the order in which they were made. */
  get pending(): readonly PendingCall[] {
    return this.#stage.pending;
  }

  /** The pending calls of one kind. */
  pendingOf(kind: PendingCall["kind"]): readonly PendingCall[] {
    return this.pending.filter((call) => call.kind === kind);
  }

  /** Connections that were opened and are not closed, those being closed included. */
  get live(): readonly ScriptedConnection[] {
    return this.connections.filter((connection) => connection.state !== "closed");
  }

  /** Connections that are being opened, open, or being closed. */
  get occupied(): number {
    return this.#occupied;
  }

  /** The largest number of them at one time. */
  get peak(): number {
    return this.#peak;
  }

  /** Connections that were told to close more than once, which a pool never does. */
  get closedTwice(): readonly ScriptedConnection[] {
    return this.connections.filter((connection) => connection.closes.length > 1);
  }

  /** Listeners that are left on all connections. */
  get listenerCount(): number {
    return this.connections.reduce((sum, connection) => sum + connection.listenerCount, 0);
  }

  /** Returns the connection of a number, counted from 1 in the order of the connects. */
  connection(id: number): ScriptedConnection {
    const found = this.connections.find((connection) => connection.id === id);
    if (found === undefined) throw new Error(`connection ${id} was not opened`);
    return found;
  }
}
