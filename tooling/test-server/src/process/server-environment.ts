import type { HttpTestServerOptions } from "../http/http-test-server-options.ts";
import type { TestServerOptions } from "../test-server-options.ts";

const DEFAULT_LIFETIME_MS = 600_000;

/** The environment variables that script a server in a process of its own; the README says what each does. */
export const serverVariables = [
  "TEST_SERVER_NAME",
  "TEST_SERVER_VERSION",
  "TEST_SERVER_PAGE_SIZE",
  "TEST_SERVER_LEDGER",
  "TEST_SERVER_IGNORE_PING",
  "TEST_SERVER_REFUSE_PING",
  "TEST_SERVER_IGNORE_CANCEL",
  "TEST_SERVER_HANG_ON_INITIALIZE",
  "TEST_SERVER_START_DELAY_MS",
  "TEST_SERVER_EXIT_ON_START",
  "TEST_SERVER_EXIT_AFTER_MS",
  "TEST_SERVER_GARBAGE",
  "TEST_SERVER_BAD_STARTS",
  "TEST_SERVER_STUBBORN",
  "TEST_SERVER_LIFETIME_MS",
  "TEST_SERVER_PORT",
  "TEST_SERVER_STATELESS",
  "TEST_SERVER_JSON_RESPONSE",
  "TEST_SERVER_RESUMABLE",
  "TEST_SERVER_BEARER_TOKEN",
  "TEST_SERVER_UNKNOWN_SESSION_STATUS",
] as const;

/** The name of one of these variables. */
export type ServerVariable = (typeof serverVariables)[number];

/** Reads the variables; a value that makes no sense throws. */
export class ServerEnvironment {
  readonly #values: Readonly<Record<string, string | undefined>>;

  constructor(values: Readonly<Record<string, string | undefined>>) {
    this.#values = values;
    rejectUnknownVariables(values);
  }

  /** How long the process may live: the safety net under tests that fail to end it. */
  get lifetimeMs(): number {
    return this.count("TEST_SERVER_LIFETIME_MS") ?? DEFAULT_LIFETIME_MS;
  }

  /** Whether garbage comes before the protocol, or in its place. */
  get garbage(): "before" | "only" | undefined {
    const value = this.text("TEST_SERVER_GARBAGE");
    if (value === undefined || value === "before" || value === "only") return value;
    throw new Error(`TEST_SERVER_GARBAGE must be before or only, got ${JSON.stringify(value)}`);
  }

  text(name: ServerVariable): string | undefined {
    return this.#values[name];
  }

  flag(name: ServerVariable): boolean {
    const value = this.#values[name] ?? "0";
    if (value === "1") return true;
    if (value === "0") return false;
    throw new Error(`${name} must be 0 or 1, got ${JSON.stringify(value)}`);
  }

  count(name: ServerVariable): number | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    if (/^\d+$/.test(value)) return Number(value);
    throw new Error(`${name} must be a whole number, got ${JSON.stringify(value)}`);
  }

  /** What every server takes; the start of a process that begins well leaves `initialize` alone. */
  serverOptions(startsBadly: boolean): TestServerOptions {
    const pageSize = this.count("TEST_SERVER_PAGE_SIZE");
    const ledgerPath = this.text("TEST_SERVER_LEDGER");
    return {
      name: this.text("TEST_SERVER_NAME") ?? "test-server",
      version: this.text("TEST_SERVER_VERSION") ?? "1.0.0",
      ...(pageSize !== undefined && { pageSize }),
      ...(ledgerPath !== undefined && { ledgerPath }),
      ping: this.#ping(),
      ignoreCancellation: this.flag("TEST_SERVER_IGNORE_CANCEL"),
      hangOnInitialize: startsBadly && this.flag("TEST_SERVER_HANG_ON_INITIALIZE"),
    };
  }

  /** What a server over HTTP takes beside that. */
  httpOptions(): HttpTestServerOptions {
    const bearerToken = this.text("TEST_SERVER_BEARER_TOKEN");
    return {
      port: this.count("TEST_SERVER_PORT") ?? 0,
      stateless: this.flag("TEST_SERVER_STATELESS"),
      jsonResponse: this.flag("TEST_SERVER_JSON_RESPONSE"),
      resumable: this.flag("TEST_SERVER_RESUMABLE"),
      unknownSessionStatus: this.#unknownSessionStatus(),
      ...(bearerToken !== undefined && { bearerToken }),
    };
  }

  #ping(): "answer" | "ignore" | "refuse" {
    if (this.flag("TEST_SERVER_IGNORE_PING")) return "ignore";
    return this.flag("TEST_SERVER_REFUSE_PING") ? "refuse" : "answer";
  }

  #unknownSessionStatus(): 400 | 401 | 404 {
    const status = this.count("TEST_SERVER_UNKNOWN_SESSION_STATUS") ?? 404;
    if (status === 400 || status === 401 || status === 404) return status;
    throw new Error(`TEST_SERVER_UNKNOWN_SESSION_STATUS must be 400, 401 or 404, got ${status}`);
  }
}

/** Throws for a variable of ours that does not exist, so that a typing error cannot switch a script off. */
export function rejectUnknownVariables(values: Readonly<Record<string, string | undefined>>): void {
  const known: readonly string[] = serverVariables;
  const unknown = Object.keys(values).filter((name) => name.startsWith("TEST_SERVER_") && !known.includes(name));
  if (unknown.length === 0) return;
  throw new Error(`Unknown variables ${unknown.join(", ")}; known are ${known.join(", ")}`);
}
