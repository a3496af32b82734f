import {
  type Connector,
  type ConnectRequest,
  type Issue,
  McpConfigurationError,
  type McpConnection,
} from "@mcp-pool/core";
import { ConnectFailure } from "../connect-failure.ts";
import { checkOptionNames } from "../known-options.ts";
import { loadedOnce } from "../sdk-binding.ts";
import { type ClientOptions, clientSettings } from "../v1/client-options.ts";
import type { CloseTimeouts } from "./end-process-tree.ts";
import { INHERITED_VARIABLES, inheritedEnvironment } from "./inherited-environment.ts";
import { StdioLink } from "./stdio-link.ts";

/** Options of {@link stdioConnector}. */
export interface StdioConnectorOptions extends ClientOptions {
  /** The program to run, as it is; no shell is involved. */
  readonly command: string;
  /** Its arguments, each passed on untouched. @default [] */
  readonly args?: readonly string[] | undefined;
  /** Working directory. @default that of this process */
  readonly cwd?: string | undefined;
  /**
   * Variables on top of a safe part of this process's own (`HOME`, `PATH` and the like), or a function that supplies
   * them for each connection, such as the tokens of its identity. @default {}
   */
  readonly env?: EnvironmentSource | undefined;
  /** How long each step of closing may take. @default 2000, 2000 and 1000 ms */
  readonly closeTimeouts?: CloseTimeouts | undefined;
  /** Whether its process tree ends even when our own process dies by SIGKILL; not on Windows. @default true */
  readonly orphanGuard?: boolean | undefined;
  /** Longest line the server may send, in bytes; a longer one ends the connection. @default 67108864 */
  readonly maxLineBytes?: number | undefined;
}

type Environment = Readonly<Record<string, string>>;

/** Variables of every process, or a function that supplies them for each one. */
export type EnvironmentSource =
  | Environment
  | ((request: Pick<ConnectRequest, "serverName" | "identity">) => Environment | PromiseLike<Environment>);

const OWN_OPTIONS = ["command", "args", "cwd", "env", "closeTimeouts", "orphanGuard", "maxLineBytes"] as const;

const DEFAULT_CONCURRENCY = 128;
const DEFAULT_MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * Runs one server process per connection and talks to it over stdin and stdout.
 * @throws {McpConfigurationError} when an option makes no sense
 */
export function stdioConnector(options: StdioConnectorOptions): Connector {
  checkOptionNames(options, OWN_OPTIONS);
  const { command, args = [], cwd, env = {}, maxLineBytes = DEFAULT_MAX_LINE_BYTES, orphanGuard = true } = options;
  const { stdinEndMs = 2_000, terminateMs = 2_000, killMs = 1_000 } = options.closeTimeouts ?? {};
  const closeBounds = { stdinEndMs, terminateMs, killMs };
  check(command, args, { maxLineBytes, ...closeBounds });
  const settings = clientSettings(options, DEFAULT_CONCURRENCY);
  const sdk = loadedOnce(options.sdk, settings);
  return {
    suggestedConcurrency: settings.suggestedConcurrency,
    async connect(request: ConnectRequest): Promise<McpConnection> {
      const own = typeof env === "function" ? await environmentFor(env, request) : env;
      const secrets = Object.entries(own)
        .filter(([name]) => !INHERITED_VARIABLES.includes(name))
        .map(([, value]) => value);
      const processEnv = { ...inheritedEnvironment(), ...own };
      const processOptions = { command, args, cwd, env: processEnv, secrets, maxLineBytes, orphanGuard };
      return (await sdk()).open((parts) => new StdioLink(parts, processOptions, closeBounds), request);
    },
  };
}

/** @throws {ConnectFailure} when the function fails, or its time is up */
async function environmentFor(
  source: Extract<EnvironmentSource, (...args: never) => unknown>,
  { serverName, identity, signal, timeoutMs }: ConnectRequest,
): Promise<Environment> {
  const asked = (async () => source({ serverName, identity }))();
  try {
    return await untilAborted(asked, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  } catch (cause) {
    signal.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the function that supplies env failed: ${reason}`;
    throw new ConnectFailure(message, { judgement: "unauthorised", cause });
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Checks what TypeScript cannot promise, such as a command line in one string. */
function check(command: unknown, args: unknown, numbers: Readonly<Record<string, number>>): void {
  const issues: Issue[] = [];
  if (typeof command !== "string" || command === "") {
    issues.push({ path: "command", message: "must be the name or path of a program" });
  }
  if (!Array.isArray(args) || args.some((arg) => typeof arg !== "string")) {
    issues.push({ path: "args", message: "must be an array of strings" });
  }
  for (const [path, value] of Object.entries(numbers)) {
    if (!(value >= 0)) issues.push({ path, message: `must be a number that is not negative, got ${value}` });
  }
  if (issues.length > 0) throw new McpConfigurationError(issues);
}
