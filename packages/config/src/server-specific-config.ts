import type { CircuitFallback, CircuitSubstitutes } from "@mcp-pool/core";
import { z } from "zod";
import { type MockConfig, mockConfigSchema } from "./mock-config.ts";
import { type PoolConfig, poolConfigSchema } from "./pool-config.ts";
import {
  block,
  byName,
  CODE_ONLY,
  type ConfigSchema,
  count,
  duration,
  finiteNumber,
  flag,
  httpStatus,
  nonEmptyText,
  texts,
} from "./schema-parts.ts";
import { isRecord } from "./source.ts";

/** What is known of one tool, whatever the server says of it. */
export interface ToolConfig {
  /** Whether running it twice does no harm. */
  readonly idempotent?: boolean | undefined;
  /** Time for a whole call. */
  readonly timeoutMs?: number | undefined;
  /** Calls of it in flight at one time. */
  readonly maxConcurrent?: number | undefined;
}

/** How the connections to one server are pooled and used. */
export interface ServerSpecificConfig {
  /** The server's name; the key says it already, except in `addServerConfig()`. */
  readonly serverName?: string | undefined;
  readonly pool?: PoolConfig | undefined;
  /** Another name of `pool`; only one of them may be there. */
  readonly poolConfig?: PoolConfig | undefined;
  /** Higher wins below the global cap. @default 0 */
  readonly priority?: number | undefined;
  /** Selects servers, as in `manager.servers({ tag })`. @default [] */
  readonly tags?: readonly string[] | undefined;
  /** Leases and requests in flight on the server, over all its connections. @default unlimited */
  readonly maxConcurrentRequests?: number | undefined;
  /** Time for a whole request in milliseconds; goes before that of the global pool. */
  readonly requestTimeoutMs?: number | undefined;
  /** Whether the server's own `idempotentHint` and `readOnlyHint` are believed. @default false */
  readonly trustAnnotations?: boolean | undefined;
  /** Single tools, by name. */
  readonly tools?: Readonly<Record<string, ToolConfig>> | undefined;
  /** Whether calls without an identity are refused. @default false */
  readonly identityRequired?: boolean | undefined;
  /** Identities served at one time; beyond it, the pool that was unused for longest is closed. @default 1_000 */
  readonly maxIdentities?: number | undefined;
  /** HTTP statuses with which it says that it no longer knows the session. @default [404] */
  readonly sessionLostStatuses?: readonly number[] | undefined;
  /** What happens to calls while its circuit is open: another server takes them, or functions make up results. */
  readonly onCircuitOpen?: CircuitFallback | undefined;
  /** What stands in for it when mocks are enabled. */
  readonly mock?: MockConfig | undefined;
}

const tool: ConfigSchema<ToolConfig> = block({
  idempotent: flag().optional(),
  timeoutMs: duration().optional(),
  maxConcurrent: count(1).optional(),
});

/** Functions can be given in code only; core checks their names. */
const substitutes = z.custom<CircuitSubstitutes>((value) => isFunctions(value)).meta(CODE_ONLY);

function isFunctions(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const functions = Object.values(value);
  return functions.length > 0 && functions.every((each) => typeof each === "function");
}

const specificBlock = block({
  serverName: nonEmptyText().optional(),
  pool: poolConfigSchema.optional(),
  priority: finiteNumber().optional(),
  tags: texts().optional(),
  maxConcurrentRequests: count(1).optional(),
  requestTimeoutMs: duration().optional(),
  trustAnnotations: flag().optional(),
  tools: byName(tool, "an object with the names of tools as keys").optional(),
  identityRequired: flag().optional(),
  maxIdentities: count(1).optional(),
  sessionLostStatuses: z.array(httpStatus(), { error: "a list of HTTP statuses from 400 to 499" }).optional(),
  onCircuitOpen: z
    .union([block({ server: nonEmptyText() }), substitutes], {
      error: "{ server }, or functions by the manager's method",
    })
    .optional(),
  mock: mockConfigSchema.optional(),
});

/** The settings under their own names, as they are once every spelling has been replaced. */
export const specificBlockSchema: ConfigSchema<Omit<ServerSpecificConfig, "poolConfig">> = specificBlock;

export const serverSpecificConfigSchema: ConfigSchema<ServerSpecificConfig> = z.preprocess(renamePool, specificBlock);

function renamePool(value: unknown): unknown {
  if (!isRecord(value) || !("poolConfig" in value) || "pool" in value) return value;
  const { poolConfig: pool, ...rest } = value;
  return { ...rest, pool };
}

/** The settings there are; `poolConfig` is another name for `pool`. */
export const specificKeys: ReadonlySet<string> = new Set([...Object.keys(specificBlock.shape), "poolConfig"]);
