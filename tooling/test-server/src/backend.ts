import { setMaxListeners } from "node:events";
import { ExecutionLedger } from "./execution-ledger.ts";
import type { HostProcess } from "./process/host-process.ts";
import type { Session } from "./session.ts";
import type { TestServerOptions } from "./test-server-options.ts";
import { allTools } from "./tools/all-tools.ts";
import type { ScriptedTool } from "./tools/scripted-tool.ts";

/** What all sessions of one server share: its tools, its counts, its resources. */
export class Backend {
  readonly options: TestServerOptions;
  readonly ledger: ExecutionLedger;
  readonly #tools: Map<string, ScriptedTool>;
  readonly #sessions = new Set<Session>();
  readonly #touches = new Map<string, number>();
  readonly #closing = new AbortController();

  constructor(options: TestServerOptions = {}) {
    this.options = options;
    this.ledger = new ExecutionLedger(options.ledgerPath);
    // As many requests as a test likes may wait for the end.
    setMaxListeners(0, this.#closing.signal);
    this.#tools = new Map(allTools.map((tool) => [tool.definition.name, tool]));
  }

  get tools(): readonly ScriptedTool[] {
    return [...this.#tools.values()];
  }

  get hostProcess(): HostProcess | undefined {
    return this.options.hostProcess;
  }

  /** Ends work that outlives its request. */
  get closingSignal(): AbortSignal {
    return this.#closing.signal;
  }

  tool(name: string): ScriptedTool | undefined {
    return this.#tools.get(name);
  }

  join(session: Session): void {
    this.#sessions.add(session);
  }

  leave(session: Session): void {
    this.#sessions.delete(session);
  }

  /** Adds a tool, or removes the one of that name, and tells every session. */
  async changeTools(change: { readonly add: ScriptedTool } | { readonly remove: string }): Promise<void> {
    if ("add" in change) this.#tools.set(change.add.definition.name, change.add);
    else this.#tools.delete(change.remove);
    await this.#tell(
      () => true,
      (session) => session.server.sendToolListChanged(),
    );
  }

  touches(uri: string): number {
    return this.#touches.get(uri) ?? 0;
  }

  /** Changes a resource and tells its subscribers; returns how many there were. */
  async touch(uri: string): Promise<number> {
    this.#touches.set(uri, this.touches(uri) + 1);
    return this.#tell(
      (session) => session.subscriptions.has(uri),
      (session) => session.server.sendResourceUpdated({ uri }),
    );
  }

  close(): void {
    this.#closing.abort();
  }

  // A session that closes meanwhile misses the notification, and the others get it all the same.
  async #tell(concerns: (session: Session) => boolean, send: (session: Session) => Promise<void>): Promise<number> {
    const concerned = [...this.#sessions].filter(concerns);
    await Promise.allSettled(concerned.map(send));
    return concerned.length;
  }
}
