import type { McpPoolError } from "./errors.ts";
import { McpConfigurationError } from "./errors.ts";
import type { Connect, PluginInstallation, PoolControl, PoolPlugin, Request } from "./plugin.ts";

/** The plugins of one pool, composed once. */
export class PluginHost {
  readonly #installations: readonly PluginInstallation[];
  readonly #admissions: readonly (() => McpPoolError | undefined)[];
  readonly #handles = new Map<string, unknown>();

  /** @throws {McpConfigurationError} when two plugins have one name */
  constructor(plugins: readonly PoolPlugin[], control: PoolControl) {
    const names = plugins.map((plugin) => plugin.name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new McpConfigurationError([{ path: "plugins", message: `plugin "${twice}" is listed twice` }]);
    }
    this.#installations = plugins.map((plugin) => {
      const installation = plugin.install(control);
      this.#handles.set(plugin.name, installation.handle);
      return installation;
    });
    this.#admissions = this.#installations.flatMap((each) => (each.admit === undefined ? [] : [each.admit.bind(each)]));
  }

  admit(): McpPoolError | undefined {
    for (const admit of this.#admissions) {
      const refusal = admit();
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  wrapConnect(innermost: Connect): Connect {
    return this.#installations.reduceRight((next, each) => each.connect?.(next) ?? next, innermost);
  }

  wrapRequest(innermost: Request): Request {
    return this.#installations.reduceRight((next, each) => each.request?.(next) ?? next, innermost);
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
}
