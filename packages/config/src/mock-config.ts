import { z } from "zod";
import {
  block,
  byName,
  type ConfigSchema,
  count,
  duration,
  flag,
  functionOnly,
  nonEmptyText,
  oneOf,
  text,
} from "./schema-parts.ts";

/** One tool of a mock server. Without a `result` or a `handler` it answers with its arguments. */
export interface MockToolConfig {
  readonly description?: string | undefined;
  /** JSON Schema of the arguments. @default any object */
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined;
  /** The answer: a string is its text, an object with `content` is the whole result, all else is its JSON. */
  readonly result?: unknown;
  /** Whether the answer is a result with `isError`. @default false */
  readonly isError?: boolean | undefined;
  /** Time until it answers. @default that of the server */
  readonly latencyMs?: number | undefined;
  /** Makes the answer, in place of `result`; in code only. */
  readonly handler?: ((args: Readonly<Record<string, unknown>>) => unknown) | undefined;
}

/** One fault of a mock server. */
export interface MockFaultConfig {
  /** `error` is a JSON-RPC error, `disconnect` loses the connection, `hang` never answers, `refuse` opens no connection. */
  readonly kind: "error" | "disconnect" | "hang" | "refuse";
  /** The tool it meets. @default every tool */
  readonly tool?: string | undefined;
  /** It meets each nth call, or connect. @default 1 */
  readonly every?: number | undefined;
  /** How often it happens. @default without an end */
  readonly times?: number | undefined;
  /** Message of the error. */
  readonly message?: string | undefined;
}

/** What stands in for a server when mocks are enabled. */
export interface MockConfig {
  /** The tools by name. @default `echo`, and every other name answers with its arguments too */
  readonly tools?: Readonly<Record<string, MockToolConfig>> | undefined;
  /** Time until a tool answers. @default 0 */
  readonly latencyMs?: number | undefined;
  /** Time until a connection is open. @default 0 */
  readonly connectLatencyMs?: number | undefined;
  readonly faults?: readonly MockFaultConfig[] | undefined;
}

const mockTool: ConfigSchema<MockToolConfig> = block({
  description: text().optional(),
  inputSchema: z.record(z.string(), z.unknown(), { error: "a JSON Schema" }).optional(),
  result: z.unknown().optional(),
  isError: flag().optional(),
  latencyMs: duration(0).optional(),
  handler: functionOnly<(args: Readonly<Record<string, unknown>>) => unknown>().optional(),
});

const mockFault: ConfigSchema<MockFaultConfig> = block({
  kind: oneOf("error", "disconnect", "hang", "refuse"),
  tool: nonEmptyText().optional(),
  every: count(1).optional(),
  times: count(1).optional(),
  message: text().optional(),
});

export const mockConfigSchema: ConfigSchema<MockConfig> = block({
  tools: byName(mockTool, "an object with the names of tools as keys").optional(),
  latencyMs: duration(0).optional(),
  connectLatencyMs: duration(0).optional(),
  faults: z.array(mockFault, { error: "a list of faults" }).optional(),
});
