import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { McpConfigurationError } from "@mcp-pool/core";
import { onTestFinished } from "vitest";
import { type LoadMcpConfigOptions, loadMcpConfig } from "../src/index.ts";

/** Writes a file into a folder that is gone after the test, and returns its path. */
export function fileOf(text: string | Uint8Array, name = "mcp-pool.yaml", folder: string = folderOf()): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

export function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), "mcp-pool-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Returns the error of a configuration that is refused. */
export async function refusalOf(options: LoadMcpConfigOptions): Promise<McpConfigurationError> {
  const result: unknown = await loadMcpConfig({ env: {}, ...options }).catch((error) => error);
  if (!(result instanceof McpConfigurationError)) throw new Error(`expected a refusal, not ${String(result)}`);
  return result;
}

/** Returns the error that the text of a file is refused with. */
export function refusalOfText(
  text: string | Uint8Array,
  name?: string,
  options: LoadMcpConfigOptions = {},
): Promise<McpConfigurationError> {
  return refusalOf({ ...options, path: fileOf(text, name) });
}
