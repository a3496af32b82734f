import { dirname, resolve } from "node:path";
import { type FSWatcher, watch } from "chokidar";
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
  const load = () => loadMcpConfig({ ...loadOptions, path });
  let config = await load();
  await manager.reload(config);

  let timer: NodeJS.Timeout | undefined;
  let isReading = false;
  let isClosed = false;
  const files = new Set<string>();
  const watcher = await watchFolders();
  watchFilesOf(config);

  function watchFilesOf({ files: named }: McpManagerConfig): void {
    files.clear();
    for (const file of [resolve(path), ...named]) files.add(file);
    watcher.add([...files].map((file) => dirname(file)));
  }

  /** The folders are watched, since a file that is replaced is another file; links into the folder are covered too. */
  async function watchFolders(): Promise<FSWatcher> {
    const folders = watch([], { ignoreInitial: true, depth: 0, usePolling, interval: 50 });
    folders.on("all", changed);
    folders.on("error", onError);
    return folders;
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
      if (isClosed) return;
      watchFilesOf(next);
      // Servers that leave may drain for long; the next change need not wait for that.
      void manager.reload(next).then(() => inForce(next), onError);
    } catch (error) {
      onError(error);
    } finally {
      isReading = false;
    }
  }

  function inForce(next: McpManagerConfig): void {
    config = next;
    onReload?.(next);
  }

  const close = async () => {
    isClosed = true;
    clearTimeout(timer);
    await watcher.close();
  };
  return {
    get config() {
      return config;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), { code: "MCP_POOL_CONFIG" });
}
