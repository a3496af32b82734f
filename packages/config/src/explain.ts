import type { Composition } from "./compose.ts";
import { withPoolDefaults, withSettingsDefaults } from "./defaults.ts";
import { placeOf } from "./layer.ts";
import { keyOf } from "./normalise.ts";
import { MASK, maskArguments, maskSecret, maskUrl } from "./reveal.ts";
import type { EntryFields, ServerEntry } from "./server-entry.ts";
import { isRecord, type Path } from "./source.ts";
import { applySwitches } from "./switches.ts";

/** One value in force, and where it was set. */
export interface ExplainedValue {
  /** Dotted path, such as `pool.maxConnections`. */
  readonly path: string;
  /** The value; secrets are masked. */
  readonly value: unknown;
  /** `default`, `code`, the name of a variable, or `file:line:column`; of what a switch changes, the switch's own. */
  readonly source: string;
}

const SWITCHES: readonly (readonly [setting: string, path: Path])[] = [
  ["forceSingleConnection", ["minConnections"]],
  ["forceSingleConnection", ["maxConnections"]],
  ["disableHealthChecks", ["healthCheck", "enabled"]],
  ["enableCircuitBreakers", ["circuitBreaker", "enabled"]],
];

/** Lists every setting in force, every server, and how each server is pooled, with the sources. */
export function explain({ settings, pool, entries, specifics, origins }: Composition): readonly ExplainedValue[] {
  const explained: ExplainedValue[] = [];
  const add = (value: unknown, path: Path, sourceOf: (path: Path) => string) => {
    if (isRecord(value) && path.at(-1) !== "checkMethod" && path.at(-1) !== "mock") {
      for (const [key, child] of Object.entries(value)) add(child, [...path, key], sourceOf);
    } else if (value !== undefined)
      explained.push({ path: path.join("."), value: shown(value), source: sourceOf(path) });
  };
  const setAt = (path: Path) => origins.get(keyOf(path)) ?? "default";
  const poolSource = (block: Path) => (path: Path) => {
    const own = path.slice(block.length);
    const [setting] = SWITCHES.find(([, each]) => keyOf(each) === keyOf(own)) ?? [];
    const isSwitched =
      (setting === "forceSingleConnection" && settings.forceSingleConnection === true) ||
      (setting === "disableHealthChecks" && settings.disableHealthChecks === true) ||
      (setting === "enableCircuitBreakers" && settings.enableCircuitBreakers === false);
    if (isSwitched && setting !== undefined) return setAt(["settings", setting]);
    const clamp = origins.get(keyOf(path));
    const fromSettings = keyOf(own) === "cleanupIntervalMs" && settings.cleanupIntervalMs !== undefined;
    return clamp ?? (fromSettings ? setAt(["settings", "cleanupIntervalMs"]) : "default");
  };
  add(withSettingsDefaults(settings), ["settings"], setAt);
  add(withPoolDefaults(applySwitches(pool, settings), settings), ["pool"], poolSource(["pool"]));
  for (const [name, entry] of entries) {
    add(maskFields(entry.fields), ["mcpServers", name], (path) => fieldSource(entry, path.slice(2)));
  }
  for (const [name, specific] of specifics) {
    const block: Path = ["serverConfigs", name];
    const { pool: own, ...rest } = specific;
    add(rest, block, setAt);
    add(withPoolDefaults(applySwitches(own, settings), settings), [...block, "pool"], poolSource([...block, "pool"]));
  }
  return explained;
}

/** Hides what may be secret in the fields of a server: variables, headers, credentials in a URL, and the like. */
export function maskFields({ env, headers, url, args, ...rest }: EntryFields): EntryFields {
  const maskAll = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, maskSecret(value)]));
  return {
    ...rest,
    ...(args && { args: maskArguments(args) }),
    ...(env && { env: maskAll(env) }),
    ...(url !== undefined && { url: maskUrl(url) }),
    ...(headers && { headers: maskAll(headers) }),
  };
}

/** Makes a value fit for JSON. */
export function shown(value: unknown): unknown {
  if (typeof value === "function") return "[function]";
  if (isRecord(value) && "tool" in value && "arguments" in value) return { ...value, arguments: MASK };
  return value === Infinity ? "unlimited" : value;
}

function fieldSource(entry: ServerEntry, [field = "", ...rest]: Path): string {
  return placeOf(entry.source, [...entry.fieldPath(String(field)), ...rest]);
}
