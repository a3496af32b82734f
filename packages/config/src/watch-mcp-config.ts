import { resolve } from "node:path";
import { type LoadMcpConfigOptions, loadMcpConfig } from "./load-mcp-config.ts";
import type { McpManagerConfig } from "./mcp-manager-config.ts";

/** What can be given a new configuration, such as the manager of `createMcpPool`. */
export interface Reloadable {
  /** Puts a configuration in force, or rejects and changes nothing. */
  reload(config: McpManagerConfig): Promise<void>;
}

/** Options of {@link watchMcpConfig}: those of {@link loadMcpConfig}, and what is told of changes. */
export interface WatchMcpConfigOptions extends Omit<LoadMcpConfigOptions, "path"> {
  /** How long the files must be quiet before they are read, since editors write in pieces. @default 150 */
  readonly quietMs?: number | undefined;
  /** Looks at the files again and again, for file systems that tell nothing of changes. @default false */
  readonly usePolling?: boolean | undefined;
  /** Called when a configuration is in force. */
  readonly onReload?: ((config: McpManagerConfig) => void) | undefined;
  /** Called when a configuration was refused: the last good one stays in force. @default a process warning */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Watches until it is closed. */
export interface McpConfigWatcher extends AsyncDisposable {
  /** The configuration that was put in force last. */
  readonly config: McpManagerConfig;
  /** Stops watching. Calling it again changes nothing. */
  close(): Promise<void>;
}

const DEFAULT_QUIET_MS = 150;

/**
 * Puts a configuration file in force, and again whenever it or a file that it names changes.
 * @throws {McpConfigurationError} when the file is bad at the start
 */
export async function watchMcpConfig(
  path: string,
  manager: Reloadable,
  options: WatchMcpConfigOptions = {},
): Promise<McpConfigWatcher> {
  const { quietMs = DEFAULT_QUIET_MS, usePolling = false, onReload, onError = warn, ...loadOptions } = options;
  // Not everybody who reads a configuration watches it.
  const { FileWatch } = await import("./file-watch.ts");
  let timer: NodeJS.Timeout | undefined;
  let isReading = false;
  let isClosed = false;
  const files = new FileWatch({ usePolling, onChange: changed, onError });

  /** Reads until all that was read was watched before. */
  async function load(): Promise<McpManagerConfig> {
    for (;;) {
      const loaded = await loadMcpConfig({ ...loadOptions, path });
      if (!(await files.add(loaded.files))) return loaded;
    }
  }

  function changed(): void {
    if (isClosed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void read(), quietMs);
  }

  async function read(): Promise<void> {
    if (isReading) return changed();
    isReading = true;
    try {
      const next = await load();
      if (isClosed || fingerprint(next) === latest) return;
      latest = fingerprint(next);
      // Servers that leave may drain for long; the next change need not wait for that.
      void manager.reload(next).then(() => succeeded(next), refused);
    } catch (error) {
      if (!isClosed) onError(error);
    } finally {
      isReading = false;
    }
  }

  function succeeded(next: McpManagerConfig): void {
    config = next;
    onReload?.(next);
  }

  function refused(error: unknown): void {
    latest = undefined;
    onError(error);
  }

  async function close(): Promise<void> {
    isClosed = true;
    clearTimeout(timer);
    await files.close();
  }

  let config: McpManagerConfig;
  /** What the manager was given last; it is in force before the promise of a reload says so. */
  let latest: string | undefined;
  try {
    await files.add([resolve(path)]);
    config = await load();
    latest = fingerprint(config);
    await manager.reload(config);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get config() {
      return config;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Says what a configuration comes to, for comparison only: it holds secrets. */
function fingerprint(config: McpManagerConfig): string {
  const { settings, servers } = config.resolve();
  return JSON.stringify([settings, ...servers.values()]);
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), { code: "MCP_POOL_CONFIG" });
}
