import { expect, it } from "vitest";
import { CircuitBreakerOpenError, type PoolPlugin } from "../src/index.ts";
import { ok } from "../src/testing/index.ts";
import { scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CALL = { name: "search" };

it("a call without options goes where the server of that name is now", async () => {
  const own = scriptedManager({ servers: { a: {} } });
  const { manager, connector, clock, options, recorder } = own;
  recorder.stop();
  connector.onRequest.always(ok({ content: [] }));
  await manager.callTool("a", CALL);
  const held = outcomeOf(manager.callTool("a", CALL));
  await manager.reload(options({ servers: { a: { identityRequired: true } } }));
  await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
  await clock.settle();
  expect(held.state).toBe("resolved");
  await manager.reload(options({ servers: { a: {} } }));
  await expect(manager.callTool("a", CALL)).resolves.toEqual({ content: [] });
  const removing = manager.removeServer("a");
  await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  await clock.settle();
  await removing;
  manager.addServer("a", { connector });
  await expect(manager.callTool("a", CALL)).resolves.toEqual({ content: [] });
  await manager.reload(options({ servers: {} }));
  await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  manager.addServer("a", { connector });
  const closing = manager.close();
  await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "POOL_CLOSED" });
  await clock.settle();
  await closing;
  await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "POOL_CLOSED" });
});

it("a call from within a reload is made as the new definition says", async () => {
  const open: PoolPlugin = {
    name: "open",
    install: () => ({ request: () => () => Promise.reject(new CircuitBreakerOpenError("open")) }),
  };
  const { manager, clock, options } = scriptedManager({ servers: { a: {} }, plugins: [open] });
  const calls: ReturnType<typeof outcomeOf>[] = [];
  manager.subscribe(() => calls.push(outcomeOf(manager.callTool("a", CALL))), ["pool-reconfigured"]);
  const onCircuitOpen = { callTool: () => ({ content: [] }) };
  await manager.reload(options({ servers: { a: { onCircuitOpen } }, plugins: [open] }));
  await clock.settle();
  await manager.reload(options({ servers: { a: {} }, plugins: [open] }));
  await clock.settle();
  expect(calls).toMatchObject([
    { state: "resolved", value: { content: [] } },
    { state: "rejected", error: { code: "CIRCUIT_OPEN" } },
  ]);
});

it("a server that is removed from within a reload stays removed", async () => {
  const { manager, clock, options } = scriptedManager({ servers: { a: {}, b: {} } });
  const unsubscribe = manager.subscribe(() => {
    unsubscribe();
    void manager.removeServer("a");
  }, ["pool-reconfigured"]);
  await manager.reload(options({ servers: { a: {}, b: {} } }));
  await clock.settle();
  expect(manager.servers()).toEqual(["b"]);
  await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
});
