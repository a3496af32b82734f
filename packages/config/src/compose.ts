import { checkMinimum } from "./check-minimum.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { Layer } from "./layer.ts";
import type { McpSettings } from "./mcp-settings.ts";
import { mergeBlock, type Origins } from "./merge.ts";
import type { PoolConfig } from "./pool-config.ts";
import type { Problems } from "./problems.ts";
import type { ServerEntry } from "./server-entry.ts";
import type { ServerSpecificConfig } from "./server-specific-config.ts";
import type { Path } from "./source.ts";

/** What the sources say together: only what is set, without defaults. */
export interface Composition {
  readonly settings: McpSettings;
  readonly pool: PoolConfig;
  /** The servers that are not disabled, by name. */
  readonly entries: ReadonlyMap<string, ServerEntry>;
  /** Names of the others. */
  readonly disabled: ReadonlySet<string>;
  /** Settings of single servers by name, each with its whole pool. */
  readonly specifics: ReadonlyMap<string, ServerSpecificConfig & { readonly pool: PoolConfig }>;
  readonly origins: Origins;
}

/** The sources, from the one that gives way to the one that wins. */
export interface Layers {
  /** The catalog that is named elsewhere. */
  readonly catalog: readonly ServerEntry[];
  readonly file: Layer | undefined;
  readonly environment: Layer;
  readonly code: Layer | undefined;
}

/** Puts the sources together, field by field: file < environment < the file's servers < code. */
export function compose(layers: Layers, problems: Problems): Composition {
  const { file, environment, code } = layers;
  const origins: Origins = new Map();
  let settings: McpSettings = {};
  let pool: PoolConfig = {};
  for (const layer of [file, environment, code]) {
    if (layer === undefined) continue;
    settings = mergeBlock(settings, layer.blocks.settings, ["settings"], layer.originOf, origins);
    pool = mergeBlock(pool, layer.blocks.pool, ["pool"], layer.originOf, origins);
  }
  if (settings.logLevel === "warning") settings = { ...settings, logLevel: "warn" };

  const all = new Map<string, ServerEntry>();
  for (const entry of [...layers.catalog, ...(file?.servers ?? []), ...(code?.servers ?? [])])
    all.set(entry.name, entry);
  const entries = new Map([...all].filter(([, { isDisabled }]) => !isDisabled));
  const named = [file, code].flatMap((layer) => Object.keys(layer?.blocks.serverConfigs ?? {}));
  const names = new Set([...entries.keys(), ...named.filter((name) => all.get(name)?.isDisabled !== true)]);
  const specifics = new Map([...names].map((name) => [name, composeServer(name, layers, origins)]));

  checkMinimum(pool, undefined, layers, problems);
  for (const [name, { pool: own }] of specifics) checkMinimum(own, name, layers, problems);
  const disabled = new Set([...all.keys()].filter((name) => !entries.has(name)));
  return { settings, pool, entries, disabled, specifics, origins };
}

/** A server's request time-out goes before that of the global pool, and behind that of its own pool. */
function composeServer(
  name: string,
  { file, environment, code }: Layers,
  origins: Origins,
): ServerSpecificConfig & { readonly pool: PoolConfig } {
  const path: Path = ["serverConfigs", name];
  let specific: ServerSpecificConfig = {};
  let pool: PoolConfig = {};
  const addGlobal = (layer: Layer | undefined) => {
    const originOf = (own: Path) => layer?.originOf(["pool", ...own.slice(3)]) ?? "";
    pool = mergeBlock(pool, layer?.blocks.pool, [...path, "pool"], originOf, origins);
  };
  const addOwn = (layer: Layer | undefined) => {
    const all = layer?.blocks.serverConfigs ?? {};
    if (layer === undefined || !Object.hasOwn(all, name)) return;
    const { pool: ownPool, serverName: _name, ...rest } = all[name] ?? {};
    specific = mergeBlock(specific, rest, path, layer.originOf, origins);
    const { requestTimeoutMs } = rest;
    pool = mergeBlock(
      pool,
      { requestTimeoutMs },
      [...path, "pool"],
      () => layer.originOf([...path, "requestTimeoutMs"]),
      origins,
    );
    pool = mergeBlock(pool, ownPool, [...path, "pool"], layer.originOf, origins);
  };
  addGlobal(file);
  addGlobal(environment);
  addOwn(file);
  addGlobal(code);
  addOwn(code);
  return { ...specific, pool };
}

/** Settings for a server that is not there are a slip of the hand. */
export function checkNames({ file, code }: Layers, { entries, disabled }: Composition, problems: Problems): void {
  for (const layer of [file, code]) {
    for (const [name, specific] of Object.entries(layer?.blocks.serverConfigs ?? {})) {
      if (layer === undefined) continue;
      const path = layer.writtenPath(["serverConfigs", name]);
      if (!entries.has(name) && !disabled.has(name)) {
        const known = [...entries.keys()].join(", ") || "none";
        const near = didYouMean(name, entries.keys());
        const hint = near === undefined ? undefined : `did you mean "${near}"?`;
        problems.report(layer.source, path, { message: `there is no such server; known: ${known}`, hint, part: "key" });
      }
      if (specific.serverName !== undefined && specific.serverName !== name) {
        const at = layer.writtenPath(["serverConfigs", name, "serverName"]);
        problems.report(layer.source, at, { expected: `the same as the key, "${name}"`, value: specific.serverName });
      }
    }
  }
}
