import type { Layers } from "./compose.ts";
import { POOL_DEFAULTS } from "./defaults.ts";
import type { Layer } from "./layer.ts";
import type { PoolConfig } from "./pool-config.ts";
import type { Problems } from "./problems.ts";
import type { Path } from "./source.ts";

/** A layer that sets one of the two, and where. */
interface Setter {
  readonly layer: Layer;
  readonly path: Path;
}

/**
 * Reports a minimum above the maximum. Only one that was written can be: an unset one gives way.
 * @param server checks that server's pool, if it sets one of the two itself; else the global pool
 */
export function checkMinimum(
  { minConnections, maxConnections = POOL_DEFAULTS.maxConnections }: PoolConfig,
  server: string | undefined,
  { file, environment, code }: Layers,
  problems: Problems,
): void {
  if (minConnections === undefined || minConnections <= maxConnections) return;
  const block: Path = server === undefined ? ["pool"] : ["serverConfigs", server, "pool"];
  const settersOf = (key: "minConnections" | "maxConnections"): readonly Setter[] =>
    [code, environment, file].flatMap((layer) => {
      if (layer === undefined || poolOf(layer, server)?.[key] === undefined) return [];
      return [{ layer, path: layer.writtenPath([...block, key]) }];
    });
  const [minimum] = settersOf("minConnections");
  const [maximum] = settersOf("maxConnections");
  if (minimum !== undefined) {
    const message = `must not be above maxConnections (${minConnections} > ${maxConnections})`;
    problems.report(minimum.layer.source, minimum.path, { message });
  } else if (maximum !== undefined) {
    const message = `must not be below minConnections (${maxConnections} < ${minConnections})`;
    problems.report(maximum.layer.source, maximum.path, { message });
  }
}

function poolOf({ blocks }: Layer, server: string | undefined): PoolConfig | undefined {
  if (server === undefined) return blocks.pool;
  const { serverConfigs = {} } = blocks;
  return Object.hasOwn(serverConfigs, server) ? serverConfigs[server]?.pool : undefined;
}
