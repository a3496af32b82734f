import type { AgentConfig, AgentVersion } from "./agent-file.ts";
import type { PooledMcpTools } from "./pooled-mcp-tools.ts";
import { type ResolveAgentToolsOptions, resolveAgentTools } from "./resolve-agent-tools.ts";

/** What an agent is made of: what its file says, and its tools. */
export interface VersionedAgent<Local = unknown> {
  readonly name: string;
  readonly version: AgentVersion;
  readonly config: AgentConfig;
  /** In the order of the file: pooled tools of servers, and local ones. */
  readonly tools: (PooledMcpTools | Local)[];
}

/** Options of an {@link AgentVersionFactory}. */
export interface AgentVersionFactoryOptions<Local = unknown, Agent = VersionedAgent<Local>>
  extends Omit<ResolveAgentToolsOptions<Local>, "place"> {
  /** Holds a folder for each agent, relative to the working directory. @default "agents" */
  readonly folder?: string | undefined;
  /** Makes an agent of any framework. @default the agent is what it is made of */
  readonly build?: ((agent: VersionedAgent<Local>) => Agent | Promise<Agent>) | undefined;
}

/** Names the version of an agent. */
export interface AgentVersionOptions {
  /** @default that of `config.yaml` */
  readonly version?: AgentVersion | undefined;
}

/**
 * Makes agents from files: `<folder>/<agent>/config.yaml`, and `config.v<version>.yaml` beside it for other versions.
 * `config.yaml` is the version that its key `version` says, or 1.
 */
export class AgentVersionFactory<Local = unknown, Agent = VersionedAgent<Local>> {
  readonly #options: AgentVersionFactoryOptions<Local, Agent>;
  readonly #folder: string;

  constructor(options: AgentVersionFactoryOptions<Local, Agent> = {}) {
    this.#options = options;
    this.#folder = options.folder ?? "agents";
  }

  /** Lists the agents there are. */
  async agents(): Promise<readonly string[]> {
    return (await files()).listAgents(this.#folder);
  }

  /**
   * Lists the versions of an agent, that of `config.yaml` first.
   * @throws {McpConfigurationError} when there is no such agent
   */
  async versions(name: string): Promise<readonly AgentVersion[]> {
    return (await files()).listAgentVersions(this.#folder, name);
  }

  /**
   * Makes a version of an agent. No connection is opened.
   * @throws {McpConfigurationError} when there is no such agent or version, or when the file is wrong
   * @throws {McpServerNotFoundError} when the file names a server that is not configured
   */
  async createVersionedAgent(name: string, { version }: AgentVersionOptions = {}): Promise<Agent> {
    const file = await (await files()).findAgentFile(this.#folder, name, version);
    const { build, folder: _, ...options } = this.#options;
    const references: readonly (string | Local)[] = file.config.tools ?? [];
    const tools = await resolveAgentTools<Local>(references, { ...options, place: file.path });
    const agent: VersionedAgent<Local> = { name, version: file.version, config: file.config, tools };
    // Without `build`, an agent is what it is made of; that is the default of the type too.
    return build === undefined ? (agent as unknown as Agent) : build(agent);
  }
}

/** Makes a version of an agent; see {@link AgentVersionFactory}, which does so for many. */
export async function createVersionedAgent<Local = unknown, Agent = VersionedAgent<Local>>(
  name: string,
  { version, ...options }: AgentVersionOptions & AgentVersionFactoryOptions<Local, Agent> = {},
): Promise<Agent> {
  return new AgentVersionFactory<Local, Agent>(options).createVersionedAgent(name, { version });
}

/** Files need Node and a parser, which those who have none don't load. */
function files(): Promise<typeof import("./agent-file.ts")> {
  return import("./agent-file.ts");
}
