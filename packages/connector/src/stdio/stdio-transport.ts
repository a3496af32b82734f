import type { ChildProcess } from "node:child_process";
import { RequestFailure } from "@mcp-pool/core";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import spawn from "cross-spawn";
import { settledWithin } from "../settled-within.ts";
import type { OutgoingRequest } from "../v1/link.ts";
import { type CloseBounds, endProcessTree } from "./end-process-tree.ts";
import { LineReader } from "./line-reader.ts";
import { type LineOwner, LineWriter, NotWritten } from "./line-writer.ts";
import { unwatchChild, watchChild } from "./live-children.ts";
import { hasExited } from "./process-group.ts";
import { StderrTail } from "./stderr-tail.ts";

/** What a server process is made of. */
export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  /** Values that must not show up in messages. */
  readonly secrets: readonly string[];
  readonly maxLineBytes: number;
  /** Whether the process is ended even when ours dies by SIGKILL. */
  readonly orphanGuard: boolean;
}

/** How long output may still arrive after the exit; a grandchild may hold the pipes open for ever. */
const LAST_OUTPUT_MS = 100;
/** How long after a failed write the exit that explains it may be noticed. */
const EXIT_NOTICE_MS = 250;
const MAX_QUOTE_LENGTH = 200;

/** A message that is no request of ours. */
class PlainLine implements LineOwner {
  readonly isOpen = true;
  sent = false;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;

  constructor(resolve: () => void, reject: (error: Error) => void) {
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Runs a server as a child process in a process group of its own, and speaks JSON-RPC over its stdin and stdout. */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Hears of each line on stderr, with secrets blotted out; of many at one time, of the last ones. */
  onstderr?: (lines: readonly string[]) => void;

  readonly #options: ProcessOptions;
  readonly #stderr: StderrTail;
  #child: ChildProcess | undefined;
  #writer: LineWriter<PlainLine | OutgoingRequest> | undefined;
  #isInitialized = false;
  #hasClosed = false;
  #resolveClosed: () => void = () => {};
  readonly #closed = new Promise<void>((resolve) => {
    this.#resolveClosed = resolve;
  });
  #lostCause: Error | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#stderr = new StderrTail(options.secrets);
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  get lostCause(): Error | undefined {
    return this.#lostCause;
  }

  /** From here on, a line that is no message is reported and skipped, and no longer fatal. */
  setProtocolVersion(_version: string): void {
    this.#isInitialized = true;
  }

  async start(): Promise<void> {
    const { command, args, cwd, env, maxLineBytes } = this.#options;
    const child = spawn(command, [...args], {
      ...(cwd !== undefined && { cwd }),
      env: { ...env },
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own, so that the whole tree can be signalled. On Windows it would open a console window.
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    this.#child = child;
    const report = (error: Error): void => this.onerror?.(error);
    const started = new Promise<void>((resolve, reject) => {
      child.once("spawn", () => {
        watchChild(child, this.#options.orphanGuard && process.platform !== "win32");
        resolve();
      });
      // Errors come later too, when a signal cannot be sent.
      child.on("error", (error) => {
        reject(error);
        report(error);
      });
    });
    // Without a descriptor left for them, there are no streams at all; the error that says so is on its way.
    for (const stream of child.stdio ?? []) stream?.on("error", report);
    if (child.stdin) this.#writer = new LineWriter(child.stdin, (owner, error) => this.#written(owner, error));
    const reader = new LineReader(maxLineBytes, (line) => this.#read(line));
    child.stdout?.on("data", (chunk: Buffer) => {
      if (!this.#hasClosed && !reader.push(chunk)) {
        this.#lose(new Error(`the server sent a line of more than ${maxLineBytes} bytes`));
      }
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      const lines = this.#stderr.push(chunk);
      if (lines.length > 0) this.onstderr?.(lines);
    });
    child.once("exit", () => this.#exited(child));
    child.stdout?.once("close", () => this.#stdoutClosed(child));
    await started;
  }

  send(message: JSONRPCMessage): Promise<void> {
    return new Promise((resolve, reject) => this.#write(message, new PlainLine(resolve, reject)));
  }

  /**
   * Sends a request's message, and fails the request if that fails.
   * @throws {NotWritten} when it is clear at once that nothing can be sent
   */
  sendRequest(message: JSONRPCMessage, request: OutgoingRequest): void {
    this.#write(message, request);
  }

  /** Ends the conversation; {@link end} ends the process. */
  async close(): Promise<void> {
    this.#writer?.flush();
    this.#close();
  }

  /** Ends the whole process tree. */
  async end(timeouts: CloseBounds): Promise<void> {
    this.#writer?.flush();
    this.#close();
    const child = this.#child;
    if (child?.pid === undefined) return;
    await endProcessTree(child, timeouts);
    unwatchChild(child);
    for (const stream of child.stdio) stream?.destroy();
  }

  /** The last lines of stderr so far. */
  get stderrLines(): readonly string[] {
    return this.#stderr.lines();
  }

  /** Adds the last lines of stderr to a sentence. */
  withStderr(sentence: string): string {
    const lines = this.#stderr.lines();
    return lines.length === 0 ? sentence : `${sentence}; stderr ends with: ${lines.slice(-5).join(" | ")}`;
  }

  #write(message: JSONRPCMessage, owner: PlainLine | OutgoingRequest): void {
    const writer = this.#writer;
    if (this.#hasClosed || writer === undefined || !this.#child?.stdin?.writable) {
      throw new NotWritten("the server's stdin is closed", { cause: this.#lostCause });
    }
    let line: string;
    try {
      line = `${JSON.stringify(message)}\n`;
    } catch (error) {
      throw new NotWritten("the message cannot be written as JSON", { cause: error });
    }
    writer.push(line, owner);
  }

  #written(owner: PlainLine | OutgoingRequest, error: Error | undefined): void {
    if (!(owner instanceof PlainLine)) {
      if (error !== undefined) failRequest(owner, error);
    } else if (error === undefined) owner.resolve();
    else if (this.#isInitialized) owner.reject(error);
    // During the handshake the reason matters more than the moment.
    else void settledWithin(this.#closed, EXIT_NOTICE_MS).then(() => owner.reject(error));
  }

  #read(line: string): void {
    if (this.#hasClosed) return;
    const message = parseMessage(line);
    try {
      if (message === undefined) this.#readGarbage(line);
      else this.onmessage?.(message);
    } catch (error) {
      this.onerror?.(new Error("handling a message failed", { cause: error }));
    }
  }

  #readGarbage(line: string): void {
    if (line.trim() === "") return;
    const shown = this.#stderr.redact(line);
    const quote = shown.length > MAX_QUOTE_LENGTH ? `${shown.slice(0, MAX_QUOTE_LENGTH)}…` : shown;
    const what = `a line that is no JSON-RPC message: ${JSON.stringify(quote)}`;
    if (this.#isInitialized) this.onerror?.(new Error(`the server wrote ${what} to stdout; it was skipped`));
    else this.#lose(new Error(`before the handshake, the server wrote ${what} to stdout`));
  }

  #exited(child: ChildProcess): void {
    const finish = (): void => {
      clearTimeout(timer);
      child.off("close", finish);
      const how = child.signalCode === null ? `with code ${child.exitCode}` : `by ${child.signalCode}`;
      this.#lose(new Error(this.withStderr(`the server process exited ${how}`)));
    };
    const timer = setTimeout(finish, LAST_OUTPUT_MS);
    child.once("close", finish);
  }

  /** Without stdout no answer can come. Mostly it closes because the process exits, which says more. */
  #stdoutClosed(child: ChildProcess): void {
    const timer = setTimeout(() => {
      child.off("exit", cancel);
      this.#lose(new Error(this.withStderr("the server closed its stdout")));
    }, LAST_OUTPUT_MS);
    const cancel = (): void => clearTimeout(timer);
    if (hasExited(child)) cancel();
    else child.once("exit", cancel);
  }

  #lose(cause: Error): void {
    if (this.#hasClosed) return;
    this.#lostCause = cause;
    this.#close();
  }

  #close(): void {
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    this.#resolveClosed();
    this.onclose?.();
    this.#writer?.drop(this.#lostCause);
  }
}

/** What was not written cannot have run; of all else nobody knows. */
function failRequest(request: OutgoingRequest, error: Error): void {
  const isUnwritten = error instanceof NotWritten;
  if (isUnwritten) request.sent = false;
  request.fail(new RequestFailure(isUnwritten ? "not-sent" : "outcome-unknown", error.message, { cause: error }));
}

function parseMessage(line: string): JSONRPCMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isMessage(value) ? value : undefined;
}

/** Checks what the exchange relies on; the SDK's client checks the messages it gets once more. */
function isMessage(value: unknown): value is JSONRPCMessage {
  if (typeof value !== "object" || value === null || !("jsonrpc" in value) || value.jsonrpc !== "2.0") return false;
  if ("method" in value) return typeof value.method === "string";
  if (!("id" in value)) return false;
  return "result" in value || ("error" in value && typeof value.error === "object" && value.error !== null);
}
