import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { type FSWatcher, watch } from "chokidar";

/** Options of {@link FileWatch}. */
export interface FileWatchOptions {
  readonly usePolling: boolean;
  onChange(): void;
  onError(error: unknown): void;
}

/**
 * Tells when one of a growing number of files changes. Their folders are watched, since a file that is replaced is another
 * file, and one that is gone may come back.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #files = new Set<string>();
  readonly #folders = new Map<string, FSWatcher>();

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Watches more files; resolves, when every change from now on will be told, with whether there was a new folder. */
  async add(files: readonly string[]): Promise<boolean> {
    for (const file of files) this.#files.add(file);
    const folders = new Set(files.map((file) => dirname(file)).filter((folder) => !this.#folders.has(folder)));
    await Promise.all([...folders].map((folder) => this.#watch(folder)));
    return folders.size > 0;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#folders.values()].map((watcher) => watcher.close()));
  }

  async #watch(folder: string): Promise<void> {
    const { usePolling, onChange, onError } = this.#options;
    const watcher = watch(folder, {
      ignoreInitial: true,
      // What a program is there for keeps it running; waiting for a change of its configuration doesn't.
      persistent: false,
      depth: 0,
      followSymlinks: false,
      usePolling,
      interval: 100,
      ignored: (path) => path !== folder && !this.#matters(path),
    });
    this.#folders.set(folder, watcher);
    watcher.on("all", onChange);
    watcher.on("error", onError);
    await new Promise<void>((resolve) => watcher.once("ready", resolve));
  }

  /** A link's target may change by what lies beside it: Kubernetes swaps a folder named `..data`. */
  #matters(path: string): boolean {
    return this.#files.has(path) || (basename(path).startsWith("..") && [...this.#files].some(isLink));
  }
}

function isLink(file: string): boolean {
  try {
    return realpathSync(file) !== file;
  } catch {
    return false;
  }
}
