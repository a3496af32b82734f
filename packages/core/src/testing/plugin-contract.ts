import assert from "node:assert/strict";
import type { Unsubscribe } from "../connector.ts";
import type { PluginInstallation, PoolControl, PoolPlugin } from "../plugin.ts";
import { McpConnectionPool } from "../pool.ts";
import type { ContractCase } from "./contract-case.ts";
import { EventRecorder } from "./event-recorder.ts";
import { FakeClock } from "./fake-clock.ts";
import { fail, judged, ok } from "./script.ts";
import { ScriptedConnector } from "./scripted-connector.ts";

/** More failures in a row than any breaker of sensible settings tolerates. */
const MANY = 50;

/** Returns the behaviours that a pool relies on in every plugin. Each case makes its plugin anew, and runs on a fake clock. */
export function pluginContract(create: () => PoolPlugin): ContractCase[] {
  return [
    {
      name: "has a name",
      run: async () => {
        assert.match(create().name, /^[a-z][a-z0-9-]*$/);
      },
    },
    {
      name: "copes with a pool that has no connection yet, and that never gets one",
      run: async () => {
        const { plugin, watched } = watch(create());
        const { pool, connector, clock } = poolOf(plugin);
        assert.equal(watched.installed, 1);
        await clock.advance(1);
        await close(pool, clock);
        assert.equal(connector.connects.length, 0, "a plugin opens no connection by itself");
      },
    },
    {
      name: "hands on results as they are, tool errors included",
      run: async () => {
        const { pool, connector, clock } = poolOf(create());
        const results = [{ content: [] }, { content: [], isError: true }, {}, { structuredContent: { a: 1 } }];
        for (const result of results) {
          connector.onRequest.next(ok(result));
          assert.equal(await settled(pool.request("tools/call", { name: "a" }), clock), result);
        }
        assert.equal(connector.requests.length, results.length, "each request is sent once");
        await close(pool, clock);
      },
    },
    {
      name: "hands on the server's own errors as they are, and sends nothing twice for them",
      run: async () => {
        const { pool, connector, clock } = poolOf(create());
        const error = Object.assign(new Error("Invalid params"), { code: -32602, data: { a: 1 } });
        connector.onRequest.next(judged("answered", "Invalid params", { cause: error }));
        assert.equal(await rejection(pool.request("tools/call", { name: "a" }), clock), error);
        assert.equal(connector.requests.length, 1);
        await close(pool, clock);
      },
    },
    {
      name: "lets a caller's abort through, with the signal's reason",
      run: async () => {
        const { pool, connector, clock } = poolOf(create());
        connector.onRequest.always(() => ({ kind: "until-aborted" }));
        const controller = new AbortController();
        const request = pool.request("tools/call", { name: "a" }, { signal: controller.signal });
        await clock.settle();
        const reason = new Error("enough");
        controller.abort(reason);
        assert.equal(await rejection(request, clock), reason);
        await close(pool, clock);
      },
    },
    {
      name: "keeps the pools apart in which it is installed",
      run: async () => {
        const plugin = create();
        const broken = poolOf(plugin);
        const sound = poolOf(plugin);
        broken.connector.onConnect.always(fail(new Error("refused")));
        for (let attempt = 0; attempt < MANY; attempt++) {
          await rejection(broken.pool.request("tools/list", {}, { timeoutMs: 1_000 }), broken.clock);
        }
        assert.deepEqual(await settled(sound.pool.request("tools/list"), sound.clock), { tools: [] });
        await close(broken.pool, broken.clock);
        assert.deepEqual(await settled(sound.pool.request("tools/list"), sound.clock), { tools: [] });
        await close(sound.pool, sound.clock);
      },
    },
    {
      name: "copes with new options",
      run: async () => {
        const { pool, clock } = poolOf(create());
        await settled(pool.request("tools/list"), clock);
        pool.reconfigure({ maxConnections: 2 });
        assert.deepEqual(await settled(pool.request("tools/list"), clock), { tools: [] });
        await close(pool, clock);
      },
    },
    {
      name: "leaves no timer and no listener behind, and is not disposed before the pool is closed",
      run: async () => {
        const { plugin, watched } = watch(create());
        const { pool, connector, clock } = poolOf(plugin);
        const recorder = new EventRecorder(pool);
        await settled(pool.request("tools/list"), clock);
        connector.connections[0]?.die(new Error("crashed"));
        await settled(pool.request("tools/list"), clock);
        await close(pool, clock);
        assert.equal(recorder.types.at(-1), "pool-closed", "nothing is told after pool-closed");
        assert.equal(watched.listeners, 0, "dispose() takes its listeners along");
        assert.deepEqual(recorder.of("listener-failed"), []);
        assert.deepEqual(clock.pending, [], "dispose() stops its timers");
        assert.equal(connector.listenerCount, 0);
      },
    },
  ];
}

interface Bench {
  readonly pool: McpConnectionPool;
  readonly connector: ScriptedConnector;
  readonly clock: FakeClock;
}

function poolOf(plugin: PoolPlugin): Bench {
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock });
  return { pool: new McpConnectionPool(connector, { minConnections: 0 }, [plugin], { clock }), connector, clock };
}

/** Counts what a plugin does to the pools it is installed in. */
function watch(plugin: PoolPlugin): { plugin: PoolPlugin; watched: { installed: number; listeners: number } } {
  const watched = { installed: 0, listeners: 0 };
  const install = (control: PoolControl): PluginInstallation => {
    watched.installed++;
    const subscribe: PoolControl["subscribe"] = (listener, types): Unsubscribe => {
      const unsubscribe = control.subscribe(listener, types);
      let isOn = true;
      watched.listeners++;
      return () => {
        if (isOn) watched.listeners--;
        isOn = false;
        unsubscribe();
      };
    };
    return plugin.install(Object.create(control, { subscribe: { value: subscribe } }) as PoolControl);
  };
  return { plugin: { name: plugin.name, install }, watched };
}

/** Awaits a promise; time goes on until it settles, as a plugin may wait before it tries again. */
async function settled<T>(promise: Promise<T>, clock: FakeClock): Promise<T> {
  let isOver = false;
  const over = promise.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  for (let step = 0; step < 1_000 && !isOver; step++) await clock.advance(step === 0 ? 0 : 100);
  assert.ok(isOver, "a request did not settle");
  return over;
}

async function rejection(promise: Promise<unknown>, clock: FakeClock): Promise<unknown> {
  const resolved = Symbol();
  const error: unknown = await settled(
    promise.then(
      () => resolved,
      (reason: unknown) => reason,
    ),
    clock,
  );
  assert.notEqual(error, resolved, "the request should have failed");
  return error;
}

async function close(pool: McpConnectionPool, clock: FakeClock): Promise<void> {
  await settled(pool.close(), clock);
}
