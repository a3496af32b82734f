import { McpConfigurationError, McpConnectionError, McpPoolError } from "./errors.ts";
import type { Admission, Connect, PluginInstallation, PoolControl, PoolPlugin, Request } from "./plugin.ts";

type Admit = (asker: Admission) => McpPoolError | undefined;

/** The plugins of one pool, composed once. */
export class PluginHost {
  readonly #installations: PluginInstallation[] = [];
  readonly #admissions: Admit[] = [];
  readonly #handles = new Map<string, unknown>();

  /**
   * What a plugin throws while it is installed is thrown on, when those before it are disposed.
   * @throws {McpConfigurationError} when two plugins have one name
   */
  constructor(plugins: readonly PoolPlugin[], control: PoolControl) {
    const names = plugins.map((plugin) => plugin.name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new McpConfigurationError([{ path: "plugins", message: `plugin "${twice}" is listed twice` }]);
    }
    this.#orDispose(() => {
      for (const plugin of plugins) this.#install(plugin, control);
    });
  }

  admit(asker: Admission): McpPoolError | undefined {
    return this.#admissions.length === 0 ? undefined : this.#ask(asker);
  }

  #ask(asker: Admission): McpPoolError | undefined {
    for (const admit of this.#admissions) {
      const refusal = admit(asker);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  wrapConnect(innermost: Connect): Connect {
    return this.#orDispose(() =>
      this.#installations.reduceRight((next, each) => rejecting(each.connect?.(next)) ?? next, rejecting(innermost)),
    );
  }

  wrapRequest(innermost: Request): Request {
    return this.#orDispose(() =>
      this.#installations.reduceRight((next, each) => rejecting(each.request?.(next)) ?? next, innermost),
    );
  }

  handle(name: string): unknown {
    return this.#handles.get(name);
  }

  /** Ends every plugin; one that throws does not keep the others from it. */
  dispose(onError: (error: unknown) => void): void {
    for (const installation of this.#installations) {
      try {
        installation.dispose?.();
      } catch (error) {
        onError(error);
      }
    }
  }

  #install(plugin: PoolPlugin, control: PoolControl): void {
    const installation = plugin.install(control);
    this.#installations.push(installation);
    this.#handles.set(plugin.name, installation.handle);
    const { admit } = installation;
    if (admit !== undefined) {
      this.#admissions.push(refuseOnThrow(admit.bind(installation), plugin.name, control.serverName));
    }
  }

  /** Nobody else will end the plugins of a pool that is never made. */
  #orDispose<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      this.dispose(() => {});
      throw error;
    }
  }
}

/** What a plugin or a connector throws, those further out see as a rejection, or they would not clean up after it. */
function rejecting<Hook extends Connect | Request | undefined>(hook: Hook): Hook;
function rejecting<A, R>(hook: ((request: A) => Promise<R>) | undefined): ((request: A) => Promise<R>) | undefined {
  if (hook === undefined) return undefined;
  return (request) => {
    try {
      return hook(request);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** A plugin is asked in the middle of a release: what it throws must reach the caller who wants in, not the one who leaves. */
function refuseOnThrow(admit: Admit, pluginName: string, serverName: string): Admit {
  return (asker) => {
    try {
      return admit(asker);
    } catch (cause) {
      if (McpPoolError.isInstance(cause)) return cause;
      const message = `plugin "${pluginName}" failed to say whether MCP server "${serverName}" may be used: ${String(cause)}`;
      return new McpConnectionError(message, { serverName, cause });
    }
  };
}
