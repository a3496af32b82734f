import { type Composition, checkNames, compose, type Layers } from "./compose.ts";
import {
  type ResolvedMcpSettings,
  type ResolvedPoolConfig,
  withPoolDefaults,
  withSettingsDefaults,
} from "./defaults.ts";
import { type ExplainedValue, explain, maskFields, shown } from "./explain.ts";
import type { Environment, Lookup } from "./interpolation.ts";
import { environmentLayer, type Layer } from "./layer.ts";
import type { McpPoolConfig } from "./mcp-pool-config.ts";
import { type NamedServerConfig, splitServer } from "./named-server.ts";
import { Problems } from "./problems.ts";
import { type ConfigFiles, codeLayer, readConfigFiles } from "./read-sources.ts";
import { resolveEntry } from "./resolve-entry.ts";
import type { ResolvedMcpConfig, ResolvedServer } from "./resolved-config.ts";
import type { ServerSpecificConfig } from "./server-specific-config.ts";
import { isRecord } from "./source.ts";
import { applySwitches } from "./switches.ts";

/** What {@link McpManagerConfig} takes beside the configuration itself. */
export interface McpManagerConfigOptions {
  /** Supplies the settings of `MCP_…` variables, and what `${NAME}` stands for. @default process.env */
  readonly env?: Environment | undefined;
  /** What was read from files. @default the catalog that the configuration names */
  readonly files?: ConfigFiles | undefined;
  /** What references stand for besides variables. */
  readonly lookup?: Omit<Lookup, "env"> | undefined;
}

const VARIABLES_ONLY: Omit<Lookup, "env"> = {
  unset: "error",
  resolved: new Map(),
  hasInput: false,
  hasResolve: false,
};

/**
 * One configuration of defaults, files, environment and code. It may be put together piece by piece: what does not fit is
 * told when something is asked of it, all problems at once.
 */
export class McpManagerConfig {
  readonly #env: Environment;
  readonly #files: ConfigFiles;
  readonly #lookup: Lookup;
  readonly #removed = new Set<string>();
  #code: unknown;
  #composed: { readonly composition: Composition; readonly layers: Layers } | undefined;

  /** @param config goes before all other sources */
  constructor(config: McpPoolConfig = {}, options: McpManagerConfigOptions = {}) {
    const { env = process.env, files = readConfigFiles({ overrides: config }), lookup = VARIABLES_ONLY } = options;
    this.#env = env;
    this.#files = files;
    this.#lookup = { ...lookup, env };
    this.#code = isRecord(config) ? { ...config } : config;
  }

  /**
   * Adds a server, or replaces what code said of it before. Without a command or a url it must be in a catalog.
   * @throws {McpConfigurationError} which lists every problem
   */
  addServerConfig(config: NamedServerConfig): this {
    const piece = splitServer(config);
    const problems = new Problems();
    codeLayer(piece, problems);
    problems.refuse();
    this.#removed.delete(config.serverName);
    this.#without(config.serverName);
    this.#change((block, key) => ({ ...block, ...piece[key] }));
    return this;
  }

  /** Removes a server, whatever source it comes from; tells whether it was there. */
  removeServerConfig(serverName: string): boolean {
    const wasThere = this.listConfiguredServers().includes(serverName);
    this.#without(serverName);
    this.#removed.add(serverName);
    return wasThere;
  }

  /** Returns everything that is set for a server, its whole pool included; `undefined` for an unknown one. */
  getServerConfig(serverName: string): (ServerSpecificConfig & { readonly serverName: string }) | undefined {
    const specific = this.#compose().composition.specifics.get(serverName);
    return specific === undefined ? undefined : { ...specific, serverName };
  }

  /** Returns how a server is pooled: defaults filled in, switches applied. An unknown server gets the global pool. */
  getPoolConfigForServer(serverName: string): ResolvedPoolConfig {
    const { settings, pool, specifics } = this.#compose().composition;
    return withPoolDefaults(applySwitches(specifics.get(serverName)?.pool ?? pool, settings), settings);
  }

  /** Lists the names of all servers, but of those that are disabled. */
  listConfiguredServers(): readonly string[] {
    return [...this.#compose().composition.specifics.keys()];
  }

  /** The settings in force, with every default filled in. */
  get settings(): ResolvedMcpSettings {
    return withSettingsDefaults(this.#compose().composition.settings);
  }

  /** The files that were read, or looked for; absolute paths. */
  get files(): readonly string[] {
    return this.#files.paths;
  }

  /** Tells for every value in force where it was set; secrets are masked. */
  explainConfig(): readonly ExplainedValue[] {
    return explain(this.#compose().composition);
  }

  /**
   * Completes everything for use: references replaced, switches applied. The result holds secrets.
   * @throws {McpConfigurationError} which lists every problem
   */
  resolve(): ResolvedMcpConfig {
    const problems = new Problems();
    const { composition, layers } = this.#inspect(problems);
    const { settings, entries, specifics } = composition;
    checkNames(layers, composition, problems);
    const servers = new Map<string, ResolvedServer>();
    for (const [name, entry] of entries) {
      const { pool = {}, ...specific } = specifics.get(name) ?? {};
      const connection = settings.enableMockServers ? undefined : resolveEntry(entry, this.#lookup, problems);
      servers.set(name, { name, connection, specific, pool: applySwitches(pool, settings) });
    }
    problems.refuse();
    return { settings, servers };
  }

  /** Returns a configuration that can be changed without changing this one. */
  clone(): McpManagerConfig {
    const { env, ...lookup } = this.#lookup;
    const copy = new McpManagerConfig(this.#code as McpPoolConfig, { env, files: this.#files, lookup });
    for (const name of this.#removed) copy.#removed.add(name);
    return copy;
  }

  /** Returns what is set, fit for JSON; secrets are masked. */
  toJSON(): unknown {
    const { settings, pool, entries, specifics } = this.#compose().composition;
    const plain = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(plain);
      const each = shown(value);
      if (!isRecord(each)) return each;
      return Object.fromEntries(Object.entries(each).map(([key, child]) => [key, plain(child)]));
    };
    return {
      mcpServers: Object.fromEntries([...entries].map(([name, { fields }]) => [name, plain(maskFields(fields))])),
      settings: plain(settings),
      pool: plain(pool),
      serverConfigs: Object.fromEntries([...specifics].map(([name, specific]) => [name, plain(specific)])),
    };
  }

  #compose(): { readonly composition: Composition; readonly layers: Layers } {
    if (this.#composed === undefined) {
      const problems = new Problems();
      const composed = this.#inspect(problems);
      problems.refuse();
      this.#composed = composed;
    }
    return this.#composed;
  }

  #inspect(problems: Problems): { readonly composition: Composition; readonly layers: Layers } {
    problems.issues.push(...this.#files.problems.issues);
    const isKept = ({ name }: { readonly name: string }) => !this.#removed.has(name);
    const layers: Layers = {
      catalog: this.#files.catalog.filter(isKept),
      file: this.#files.file && this.#withoutRemoved(this.#files.file),
      environment: environmentLayer(this.#env, problems),
      code: codeLayer(this.#code, problems),
    };
    return { composition: compose(layers, problems), layers };
  }

  #withoutRemoved(layer: Layer): Layer {
    const { serverConfigs = {} } = layer.blocks;
    const kept = Object.entries(serverConfigs).filter(([name]) => !this.#removed.has(name));
    return {
      ...layer,
      blocks: { ...layer.blocks, serverConfigs: Object.fromEntries(kept) },
      servers: layer.servers.filter(({ name }) => !this.#removed.has(name)),
    };
  }

  #without(serverName: string): void {
    this.#change((block) => Object.fromEntries(Object.entries(block).filter(([name]) => name !== serverName)));
  }

  #change(change: (block: object, key: "mcpServers" | "serverConfigs") => object): void {
    this.#composed = undefined;
    const code = isRecord(this.#code) ? this.#code : {};
    const of = (key: "mcpServers" | "serverConfigs") => change(isRecord(code[key]) ? code[key] : {}, key);
    this.#code = { ...code, mcpServers: of("mcpServers"), serverConfigs: of("serverConfigs") };
  }
}
