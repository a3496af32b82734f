import { describe, expect, it } from "vitest";
import { manual, ok } from "../src/testing/index.ts";
import { exclusive, openServers, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

describe("a close that does not end", () => {
  it("is reckoned with for three seconds only: then another idle connection makes room below the global cap", async () => {
    const scripted = scriptedManager({ servers: { a: exclusive(), b: exclusive(), c: exclusive() }, max: 2 });
    const { manager, connector, clock } = scripted;
    for (const server of ["a", "b"]) (await manager.acquire(server)).release();
    connector.onClose.next(manual()).always(ok());
    const acquiring = outcomeOf(manager.acquire("c", { timeoutMs: 9_000 }));
    await clock.advance(2_900);
    const closing = () => connector.connections.filter(({ closes }) => closes.length > 0).map(({ id }) => id);
    expect([acquiring.state, closing()]).toEqual(["pending", [1]]);
    await clock.advance(200);
    expect([acquiring.state, closing()]).toEqual(["resolved", [1, 2]]);
    expect(manager.stats().totalConnections).toBe(2);
    acquiring.value?.release();
  });

  it("costs no second idle connection when it ends in time", async () => {
    const scripted = scriptedManager({ servers: { a: exclusive(), b: exclusive(), c: exclusive() }, max: 2 });
    const { manager, connector, clock } = scripted;
    for (const server of ["a", "b"]) (await manager.acquire(server)).release();
    connector.onClose.next({ kind: "after", delayMs: 2_900, next: ok() }).always(ok());
    const acquiring = outcomeOf(manager.acquire("c", { timeoutMs: 9_000 }));
    await clock.advance(3_500);
    expect([acquiring.state, openServers(scripted)]).toEqual(["resolved", ["b", "c"]]);
    acquiring.value?.release();
  });

  it("is not reckoned with when it is that of a connect that was given up", async () => {
    const scripted = scriptedManager({ servers: { a: exclusive(), b: exclusive(), c: exclusive() }, max: 2 });
    const { manager, connector, clock } = scripted;
    (await manager.acquire("b")).release();
    connector.onConnect.next(manual()).always(ok());
    const controller = new AbortController();
    const abandoned = outcomeOf(manager.acquire("a", { signal: controller.signal }));
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect(abandoned.state).toBe("rejected");
    const acquiring = outcomeOf(manager.acquire("c", { timeoutMs: 9_000 }));
    await clock.advance(3_200);
    expect([acquiring.state, openServers(scripted)]).toEqual(["resolved", ["c"]]);
    acquiring.value?.release();
  });
});
