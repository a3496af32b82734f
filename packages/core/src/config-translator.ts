import type { Issue } from "./errors.ts";
import type { McpConnectionManagerOptions, McpServerDefinition } from "./manager-options.ts";

/**
 * Turns the configuration that a manager's users write into what core understands.
 * It adds the problems that it finds to `issues`, so that all problems are told at once.
 */
export interface ConfigTranslator<Config, Server> {
  /** Translates only: core may still refuse what comes out, and then nothing may have changed. */
  manager(config: Config, issues: Issue[]): McpConnectionManagerOptions;
  /** Is told that what {@link manager} returned last comes into force now. */
  accepted?(): void;
  server(name: string, server: Server, issues: Issue[]): McpServerDefinition;
  /** Says where a server's settings stand, for the messages. @default `servers.<name>` */
  readonly serverPath?: ((serverName: string) => string) | undefined;
}

/** Takes core's own form as it is. */
export const AS_IT_IS: ConfigTranslator<McpConnectionManagerOptions, McpServerDefinition> = {
  manager: (config) => config,
  server: (_name, server) => server,
};
