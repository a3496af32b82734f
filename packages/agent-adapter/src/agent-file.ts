import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Issue, McpConfigurationError } from "@mcp-pool/core";
import { type Document, LineCounter, parseDocument } from "yaml";

/** A version of an agent, as written: `1`, `"2.1"`. */
export type AgentVersion = number | string;

/** What an agent's file says; the keys beside `version` and `tools` are the application's own. */
export interface AgentConfig {
  readonly version?: AgentVersion | undefined;
  /** References to tools: `mcp.<server>`, `mcp.<server>.<tool>`, or names of local tools. */
  readonly tools?: readonly string[] | undefined;
  readonly [key: string]: unknown;
}

/** A file of an agent. */
export interface AgentFile {
  readonly path: string;
  readonly version: AgentVersion;
  readonly config: AgentConfig;
}

const MAIN = "config.yaml";
const NAMED = /^config\.v(.+)\.yaml$/;
/** Names become parts of paths, so they must not leave the folder. */
const SAFE = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Lists the agents of a folder: its subfolders with a file of an agent. */
export async function listAgents(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = await Promise.all(names.map((name) => filesOf(join(folder, name))));
  return names.filter((_, index) => (files[index] ?? []).length > 0).sort();
}

/** Lists the versions of an agent, that of `config.yaml` first. */
export async function listAgentVersions(folder: string, name: string): Promise<readonly AgentVersion[]> {
  const files = await filesOfAgent(folder, name);
  const main = files.includes(MAIN) ? [(await readAgentFile(join(folder, name, MAIN), undefined)).version] : [];
  return [...main, ...files.flatMap((file) => NAMED.exec(file)?.[1] ?? [])];
}

/**
 * Finds a version of an agent: in `config.v<version>.yaml`, or in `config.yaml` if its key `version` says so; without a
 * version, `config.yaml`, whatever its version.
 * @throws {McpConfigurationError} when there is no such agent or version, or when the file is wrong
 */
export async function findAgentFile(
  folder: string,
  name: string,
  version: AgentVersion | undefined,
): Promise<AgentFile> {
  const files = await filesOfAgent(folder, name);
  const isSafe = version === undefined || SAFE.test(String(version));
  const named = `config.v${version}.yaml`;
  const main = files.includes(MAIN) ? await readAgentFile(join(folder, name, MAIN), undefined) : undefined;
  const isMain = main !== undefined && (version === undefined || String(main.version) === String(version));
  if (version !== undefined && isSafe && files.includes(named)) {
    if (!isMain) return readAgentFile(join(folder, name, named), version);
    const message = `version ${version} of the agent "${name}" is in ${named} and in ${MAIN}; keep one`;
    throw new McpConfigurationError([{ path: "version", message, file: main.path }]);
  }
  if (isMain) return main;
  const known = (await listAgentVersions(folder, name)).join(", ");
  const what = version === undefined ? `no ${MAIN}, so a version must be named` : `no version ${version}`;
  const message = `the agent "${name}" has ${what}; known: ${known}`;
  throw new McpConfigurationError([{ path: "version", message, file: join(folder, name) }]);
}

async function filesOfAgent(folder: string, name: string): Promise<readonly string[]> {
  const files = typeof name === "string" && SAFE.test(name) ? await filesOf(join(folder, name)) : [];
  if (files.length > 0) return files;
  const agents = await listAgents(folder);
  const known = agents.length === 0 ? "there are none" : `known: ${agents.join(", ")}`;
  const message = `no agent "${name}" in the folder ${folder}; ${known}`;
  throw new McpConfigurationError([{ path: "name", message, hint: `it needs ${join(folder, "<name>", MAIN)}` }]);
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name === MAIN || NAMED.test(name)).sort();
}

/** @param expected what the name of the file says */
async function readAgentFile(path: string, expected: AgentVersion | undefined): Promise<AgentFile> {
  const lines = new LineCounter();
  const document = parseDocument(await readFile(path, "utf8"), { prettyErrors: false, lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file: path, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // The library's own messages quote the file, which may hold secrets.
  const faults = document.errors.map(({ code, pos }) => ({
    path: "",
    message: `is no valid YAML (${code})`,
    ...place(pos[0]),
  }));
  if (faults.length > 0) throw new McpConfigurationError(faults);

  const config: unknown = document.toJS() ?? {};
  const issues = check(config, expected).map(({ key, message }): Issue => {
    return { path: key, message, ...place(offsetOf(document, key)) };
  });
  if (issues.length > 0) throw new McpConfigurationError(issues);
  const checked = config as AgentConfig;
  return { path, config: checked, version: checked.version ?? expected ?? 1 };
}

function check(
  config: unknown,
  expected: AgentVersion | undefined,
): { readonly key: string; readonly message: string }[] {
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    return [{ key: "", message: "must be a mapping, such as `tools: [mcp.files]`" }];
  }
  const { version, tools } = config as Record<string, unknown>;
  const issues = [];
  if (version !== undefined && typeof version !== "number" && (typeof version !== "string" || !SAFE.test(version))) {
    issues.push({ key: "version", message: "must be a number, or a string of letters, digits, `.`, `_` and `-`" });
  } else if (version !== undefined && expected !== undefined && String(version) !== String(expected)) {
    issues.push({ key: "version", message: `must be ${expected}, as in the file's name, got ${version}` });
  }
  const isList = Array.isArray(tools) && tools.every((each) => typeof each === "string");
  if (tools !== undefined && !isList) issues.push({ key: "tools", message: "must be a list of strings" });
  return issues;
}

function offsetOf(document: Document, key: string): number {
  const node: unknown = key === "" ? document.contents : document.get(key, true);
  const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
  return Array.isArray(range) && typeof range[0] === "number" ? range[0] : 0;
}
