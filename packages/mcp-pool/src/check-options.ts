import { type Issue, McpConfigurationError } from "@mcp-pool/core";
import type { CreateMcpPoolOptions } from "./create-mcp-pool.ts";

type Check = readonly [isRight: (value: unknown) => boolean, expected: string];

const FUNCTION = (value: unknown) => typeof value === "function";
const OBJECT = (value: unknown) => typeof value === "object" && value !== null;
/** What is said of it by whoever uses it, with more knowledge. */
const ELSEWHERE: Check = [() => true, ""];

const CHECKS: Readonly<Record<keyof CreateMcpPoolOptions, Check>> = {
  connector: [FUNCTION, "a function of a server's name and configuration"],
  credentials: [FUNCTION, "a function that returns { headers } or { env }"],
  authProvider: [FUNCTION, "a function that returns an OAuth provider of the SDK"],
  plugins: [arePlugins, "a list of plugins, each with name and install(), or a function of a server's name"],
  handlers: ELSEWHERE,
  meterProvider: ELSEWHERE,
  tracerProvider: ELSEWHERE,
  env: [OBJECT, "an object with variables"],
  interpolate: [OBJECT, "an object"],
  logger: [isLogger, "an object with debug(), info(), warn() and error(), such as console"],
};

/**
 * Looks at what {@link createMcpPool} was given beside the configuration. Values are not shown: they may be secrets.
 * @throws {McpConfigurationError} which lists every problem
 */
export function checkOptions(options: unknown): void {
  if (!OBJECT(options)) throw new McpConfigurationError([{ path: "options", message: "must be an object" }]);
  const issues: Issue[] = [];
  for (const [name, value] of Object.entries(options as CreateMcpPoolOptions)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof CreateMcpPoolOptions] : undefined;
    const path = `options.${name}`;
    if (check === undefined)
      issues.push({ path, message: `is not known; there are ${Object.keys(CHECKS).join(", ")}` });
    else if (value !== undefined && !check[0](value)) issues.push({ path, message: `must be ${check[1]}` });
  }
  if (issues.length > 0) throw new McpConfigurationError(issues);
}

function arePlugins(value: unknown): boolean {
  if (!Array.isArray(value)) return FUNCTION(value);
  return value.every((plugin) => typeof plugin?.name === "string" && FUNCTION(plugin.install));
}

function isLogger(value: unknown): boolean {
  const methods: readonly (keyof NonNullable<CreateMcpPoolOptions["logger"]>)[] = ["debug", "info", "warn", "error"];
  return OBJECT(value) && methods.every((name) => FUNCTION((value as Record<string, unknown>)[name]));
}
