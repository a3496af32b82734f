import { resolve } from "node:path";
import { readCatalog } from "./catalog.ts";
import { documentLayer, type Layer } from "./layer.ts";
import { Problems } from "./problems.ts";
import { checkDepth, readDocument } from "./read-document.ts";
import type { ServerEntry } from "./server-entry.ts";
import { CODE, isRecord } from "./source.ts";

/** What was read from files. */
export interface ConfigFiles {
  readonly file: Layer | undefined;
  readonly catalog: readonly ServerEntry[];
  /** Every file that was looked for, also those that could not be read; files of variables come with {@link loadMcpConfig}. */
  readonly paths: readonly string[];
  readonly problems: Problems;
}

/** Which files to read. */
export interface ConfigFileOptions {
  readonly path?: string | undefined;
  /** Goes before the catalog that the configuration names. */
  readonly catalogPath?: string | undefined;
  /** What code says; it may name a catalog. */
  readonly overrides?: unknown;
}

/** Reads the configuration file, and the catalog that is named by code or by the file. */
export function readConfigFiles({ path, catalogPath, overrides }: ConfigFileOptions): ConfigFiles {
  const problems = new Problems();
  const document = path === undefined ? undefined : readDocument(path, problems);
  const file = document === undefined ? undefined : documentLayer(document, problems);
  const catalogFile = catalogPath ?? catalogIn(overrides) ?? catalogOf(file);
  const catalog = catalogFile === undefined ? undefined : readDocument(catalogFile, problems);
  const entries = catalog === undefined ? [] : readCatalog(catalog, problems);
  const paths = [path, catalogFile].filter((each) => each !== undefined).map((each) => resolve(each));
  return { file, catalog: entries, paths, problems };
}

/** Reads what code says, as if it were a document. */
export function codeLayer(value: unknown, problems: Problems): Layer {
  const checked = checkDepth(value, CODE, problems);
  return documentLayer({ source: CODE, value: checked === undefined && value !== undefined ? {} : checked }, problems);
}

function catalogIn(overrides: unknown): string | undefined {
  const named = isRecord(overrides) ? overrides.mcpConfigPath : undefined;
  return typeof named === "string" && named !== "" ? named : undefined;
}

/** A catalog's path is relative to the file that names it. */
function catalogOf(file: Layer | undefined): string | undefined {
  const named = file?.blocks.mcpConfigPath;
  return file === undefined || named === undefined ? undefined : resolve(file.source.directory, named);
}
