import { RequestFailure, type StartRequest } from "../../src/index.ts";
import type { World, WorldConnection } from "./world.ts";

/** Starts requests without promises: they end in the very go in which their hook ends, which may be that of their start. */
export function startRequestOn(connection: WorldConnection, world: World): StartRequest {
  return (method, params, _options, end) => {
    let isTold = false;
    const tell = (told: () => void): void => {
      if (isTold) return;
      isTold = true;
      told();
    };
    if (connection.isDead || connection.closes > 0) {
      tell(() => end.onFailure(new RequestFailure("not-sent", "the connection is gone")));
      return { abort: () => {} };
    }
    world.onRequest(connection, params);
    let answer: () => void = () => {};
    const lateAnswer = new Promise<void>((resolve) => {
      answer = resolve;
    });
    world.start("request", (isGood) => {
      answer();
      tell(() =>
        isGood
          ? end.onResult({ method, params, content: [] })
          : end.onFailure(new RequestFailure("outcome-unknown", "it broke")),
      );
    });
    return {
      abort: () => {
        if (world.options.honoursAbort)
          tell(() => end.onFailure(new RequestFailure("aborted", "gone", { lateAnswer })));
      },
    };
  };
}
