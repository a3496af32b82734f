import type { PoolPlugin } from "@mcp-pool/core";
import type { IPolicy } from "cockatiel";

/**
 * Runs every request of a pool through a cockatiel policy of your own, such as one that `wrap` has put together.
 * What may be repeated is yours to know: a policy that retries repeats tools that have side effects, too.
 * @param create makes the policy, once for each pool
 */
export function policy(name: string, create: (serverName: string) => IPolicy): PoolPlugin {
  return {
    name,
    install: ({ serverName }) => {
      const own = create(serverName);
      return {
        handle: own,
        request: (next) => (request) => own.execute(() => next(request), request.options.signal),
      };
    },
  };
}
