/** How a modern test server behaves. */
export interface ModernServerOptions {
  /** How long clients may keep the list of tools and the resources, in milliseconds. @default 0 */
  readonly ttlMs?: number | undefined;
  /** Whether revisions before 2026-07-28 are refused. @default false */
  readonly modernOnly?: boolean | undefined;
}

/** What all servers of one test server share: in the modern era, each request meets a server object of its own. */
export class Backend {
  readonly options: ModernServerOptions;
  /** Names of tools that were added while it ran. */
  readonly addedTools: Set<string> = new Set();
  /** How often each tool ran to its end. */
  readonly executions: Map<string, number> = new Map();
  /** Arguments of each state that a client sent back. */
  readonly echoedStates: string[] = [];
  /** The text of the one resource. */
  resourceText = "first";

  constructor(options: ModernServerOptions) {
    this.options = options;
  }

  executed(tool: string): number {
    const count = (this.executions.get(tool) ?? 0) + 1;
    this.executions.set(tool, count);
    return count;
  }
}
