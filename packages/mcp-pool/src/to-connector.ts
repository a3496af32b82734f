import { type HttpConnectorOptions, httpConnector } from "@mcp-pool/connector/http";
import { stdioConnector } from "@mcp-pool/connector/stdio";
import { type Connector, type Issue, McpConfigurationError } from "@mcp-pool/core";
import type { McpServerConfig } from "./config.ts";

const HTTP_TRANSPORTS: Readonly<Record<string, NonNullable<HttpConnectorOptions["transport"]>>> = {
  http: "auto",
  "streamable-http": "streamable-http",
  streamable_http: "streamable-http",
  sse: "sse",
};
const FIELDS = {
  stdio: new Set(["type", "command", "args", "env", "cwd"]),
  http: new Set(["type", "url", "headers"]),
};

/** Makes the connector for one server, or reports what is wrong with its configuration. */
export function toConnector(config: McpServerConfig, path: string, issues: Issue[]): Connector | undefined {
  const found = check(config, path);
  issues.push(...found);
  if (found.length > 0) return undefined;
  try {
    if ("command" in config) {
      const { command, args, env, cwd } = config;
      return stdioConnector({ command, args, env, cwd });
    }
    const { type = "http", url, headers } = config;
    return httpConnector({ url, headers, transport: HTTP_TRANSPORTS[type] });
  } catch (error) {
    if (!(error instanceof McpConfigurationError)) throw error;
    issues.push(...error.issues.map((issue) => ({ ...issue, path: `${path}.${issue.path}` })));
    return undefined;
  }
}

/** Says what a connection is made of, for comparison only: it may hold secrets. */
export function connectionKey(config: McpServerConfig): string {
  return JSON.stringify(config, (_key, value: unknown) =>
    isRecord(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
}

function check(config: unknown, path: string): readonly Issue[] {
  if (!isRecord(config)) return [{ path, message: "must be an object with a command or a url" }];
  const issues: Issue[] = [];
  const report = (name: string, message: string) => issues.push({ path: `${path}.${name}`, message });
  const { type, command, args, env, cwd, url, headers } = config;
  const isHttp = url !== undefined;
  if ((command !== undefined) === isHttp) {
    return [{ path, message: isHttp ? "must not have both a command and a url" : "must have a command or a url" }];
  }
  const types = isHttp ? Object.keys(HTTP_TRANSPORTS) : ["stdio"];
  if (type !== undefined && !types.includes(String(type))) {
    report("type", `must be ${types.join(" or ")} beside a ${isHttp ? "url" : "command"}`);
  }
  for (const name of Object.keys(config)) {
    if (!FIELDS[isHttp ? "http" : "stdio"].has(name)) report(name, "is not known here");
  }
  if (isHttp && !(typeof url === "string" && URL.canParse(url))) report("url", "must be an absolute URL");
  if (!isHttp && (typeof command !== "string" || command === ""))
    report("command", "must be a string that is not empty");
  if (args !== undefined && !(Array.isArray(args) && args.every(isString))) report("args", "must be a list of strings");
  if (cwd !== undefined && !isString(cwd)) report("cwd", "must be a string");
  if (env !== undefined && !isStrings(env)) report("env", "must be an object of strings");
  if (headers !== undefined && !isStrings(headers)) report("headers", "must be an object of strings");
  else for (const [name, value] of Object.entries(headers ?? {})) checkHeader(name, value, report);
  return issues;
}

/** Says that a header cannot be sent, but not its value, unlike the error of `Headers`. */
function checkHeader(name: string, value: string, report: (name: string, message: string) => void): void {
  try {
    new Headers([[name, value]]);
  } catch {
    report(`headers.${name}`, "is no valid name or value of an HTTP header");
  }
}

/** Whether a value is an object with keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isStrings(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every(isString);
}
