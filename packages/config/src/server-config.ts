import { z } from "zod";
import { block, type ConfigSchema, nonEmptyText, oneOf, text, texts, textsByName } from "./schema-parts.ts";

/** A server that runs as a process of its own, one per connection. */
export interface StdioServerConfig {
  readonly type?: "stdio" | "local" | undefined;
  /** The program to run; no shell is involved. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Variables on top of a safe part of this process's own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** A file with more variables, in the form `NAME=value`; those of `env` go before. */
  readonly envFile?: string | undefined;
  readonly cwd?: string | undefined;
}

/** A server that is reached over HTTP. */
export interface HttpServerConfig {
  /**
   * `http`, the default, is Streamable HTTP with HTTP+SSE as the fallback; the others are what they say.
   * @default "http"
   */
  readonly type?: "http" | "streamable-http" | "streamable_http" | "streamableHttp" | "sse" | undefined;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How to reach a server, as in an `mcp.json`. Strings may hold `${NAME}`, `${NAME:-default}` and `${input:id}`. */
export type McpServerConfig = StdioServerConfig | HttpServerConfig;

/** How to reach a server, with everything filled in. */
export type ResolvedServerConfig =
  | {
      readonly type: "stdio";
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd?: string | undefined;
    }
  | {
      readonly type: "streamable-http";
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Whether HTTP+SSE is tried where the server refuses Streamable HTTP. */
      readonly sseFallback: boolean;
    }
  | { readonly type: "sse"; readonly url: string; readonly headers: Readonly<Record<string, string>> };

export const stdioServerConfigSchema: ConfigSchema<StdioServerConfig> = block({
  type: oneOf("stdio", "local").optional(),
  command: nonEmptyText(),
  args: texts().optional(),
  env: textsByName().optional(),
  envFile: nonEmptyText().optional(),
  cwd: text().optional(),
});

export const httpServerConfigSchema: ConfigSchema<HttpServerConfig> = block({
  type: oneOf("http", "streamable-http", "streamable_http", "streamableHttp", "sse").optional(),
  url: text("an absolute http or https URL"),
  headers: textsByName().optional(),
});

export const mcpServerConfigSchema: ConfigSchema<McpServerConfig> = z.union(
  [stdioServerConfigSchema, httpServerConfigSchema],
  { error: "an object with a command or a url" },
);
