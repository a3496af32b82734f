import { type Issue, McpConfigurationError } from "@mcp-pool/core";
import type { CheckMethod } from "./check-method.ts";

/** Options of the health checks. Times are in milliseconds. */
export interface HealthOptions {
  /** Time from one check to the next, give or take a tenth. @default 60_000 */
  readonly intervalMs?: number | undefined;
  /** Time for one check. @default 10_000 */
  readonly timeoutMs?: number | undefined;
  /** Failed checks in a row that retire a connection, and that speak against the server: its circuit opens. @default 3 */
  readonly failureThreshold?: number | undefined;
  /** Good checks that speak for a server that was unhealthy: its circuit, once half-open, closes. @default 2 */
  readonly successThreshold?: number | undefined;
  /** How a connection is asked whether it works. @default "auto" */
  readonly checkMethod?: CheckMethod | undefined;
  /** A connection with a sign of life within this time is not asked. @default 500 */
  readonly bypassMs?: number | undefined;
}

/** {@link HealthOptions} with the defaults filled in. */
export interface ResolvedHealthOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly checkMethod: CheckMethod;
  readonly bypassMs: number;
}

const LEAST: Readonly<Record<string, number>> = {
  intervalMs: 1,
  timeoutMs: 1,
  failureThreshold: 1,
  successThreshold: 1,
  bypassMs: 0,
};

/**
 * Checks the options and fills in the defaults.
 * @throws {McpConfigurationError} which lists every problem
 */
export function resolveHealthOptions(options: HealthOptions): ResolvedHealthOptions {
  const issues: Issue[] = [];
  for (const [name, value] of Object.entries(options) as readonly [string, unknown][]) {
    const path = `healthCheck.${name}`;
    const least = Object.hasOwn(LEAST, name) ? LEAST[name] : undefined;
    if (name === "checkMethod") {
      if (!isCheckMethod(value)) issues.push({ path, message: METHOD_MESSAGE });
    } else if (least === undefined) {
      const known = [...Object.keys(LEAST), "checkMethod"].join(", ");
      issues.push({ path, message: `is not known; there are ${known}` });
    } else if (value !== undefined) {
      const isCount = name.endsWith("Threshold");
      const isGood = typeof value === "number" && value >= least && (!isCount || Number.isInteger(value));
      const kind = isCount ? "whole number" : "number";
      if (!isGood) issues.push({ path, message: `must be a ${kind} of at least ${least}, not ${String(value)}` });
    }
  }
  if (issues.length > 0) throw new McpConfigurationError(issues);
  return {
    intervalMs: options.intervalMs ?? 60_000,
    timeoutMs: options.timeoutMs ?? 10_000,
    failureThreshold: options.failureThreshold ?? 3,
    successThreshold: options.successThreshold ?? 2,
    checkMethod: options.checkMethod ?? "auto",
    bypassMs: options.bypassMs ?? 500,
  };
}

const METHOD_MESSAGE =
  'must be "auto", "ping", "discover", "list_tools", an object with a tool and its arguments, or a function';

function isCheckMethod(value: unknown): boolean {
  if (value === undefined || typeof value === "function") return true;
  if (typeof value === "string") return ["auto", "ping", "discover", "list_tools"].includes(value);
  return typeof value === "object" && value !== null && "tool" in value && typeof value.tool === "string";
}
