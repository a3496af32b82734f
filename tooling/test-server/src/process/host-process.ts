/** What a server may do to the process it runs in; only the runnable entries give it one. */
export interface HostProcess {
  /** Kills the process with a signal it cannot answer. */
  kill(signal: string): void;
  /** Exits at once. */
  exit(code: number): void;
  /** Exits once what was written so far has reached the client. */
  exitAfterFlush(code: number): void;
  /** Writes to stdout past the protocol. */
  writeStdout(text: string): void;
  /** Closes stdout for the client, while the process lives on. */
  closeStdout(): void;
  /** Writes to stderr; blocks while the pipe is full and nobody reads it. */
  writeStderr(text: string): void;
  /** Starts a grandchild of the client; resolves to its pid once its signal handlers are set. */
  spawnChild(options: GrandchildOptions): Promise<number>;
}

/** How a grandchild behaves. */
export interface GrandchildOptions {
  /** Ignores SIGTERM. */
  readonly isStubborn: boolean;
  /** Inherits stdout and stderr, and so keeps the client's pipes open after its parent's death. */
  readonly holdsStdio: boolean;
}
