import type { McpClient } from "@mcp-pool/core";
import { z } from "zod";
import { block, type ConfigSchema, count, duration, flag, functionOnly, nonEmptyText, oneOf } from "./schema-parts.ts";

/** How a connection is checked: by what fits its protocol era, by a request, by calling a tool, or by a function. */
export type HealthCheckMethod =
  | "auto"
  | "ping"
  | "discover"
  | "list_tools"
  | { readonly tool: string; readonly arguments?: Readonly<Record<string, unknown>> | undefined }
  | ((client: McpClient, signal: AbortSignal) => Promise<void> | void);

/** How the health of a server's connections is checked in the background. */
export interface HealthCheckConfig {
  /** @default true */
  readonly enabled?: boolean | undefined;
  /** Time between two checks. @default 60_000 */
  readonly intervalMs?: number | undefined;
  /** Time that one check may take. @default 10_000 */
  readonly timeoutMs?: number | undefined;
  /** Failed checks in a row that open the circuit. @default 3 */
  readonly failureThreshold?: number | undefined;
  /** Good checks that close it again. @default 2 */
  readonly successThreshold?: number | undefined;
  /** @default "auto" */
  readonly checkMethod?: HealthCheckMethod | undefined;
  /** A connection that gave a sign of life within this time is not probed. */
  readonly bypassMs?: number | undefined;
}

const toolCall = block({
  tool: nonEmptyText(),
  arguments: z.record(z.string(), z.unknown()).optional(),
});

export const healthCheckConfigSchema: ConfigSchema<HealthCheckConfig> = block({
  enabled: flag().optional(),
  intervalMs: duration().optional(),
  timeoutMs: duration().optional(),
  failureThreshold: count(1).optional(),
  successThreshold: count(1).optional(),
  checkMethod: z
    .union(
      [
        oneOf("auto", "ping", "discover", "list_tools"),
        toolCall,
        functionOnly<(client: McpClient, signal: AbortSignal) => Promise<void> | void>(),
      ],
      { error: '"auto", "ping", "discover", "list_tools" or { tool, arguments }' },
    )
    .optional(),
  bypassMs: duration(0).optional(),
});
