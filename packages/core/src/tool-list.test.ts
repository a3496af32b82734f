import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "./clock.ts";
import { McpTimeoutError } from "./errors.ts";
import type { Tool } from "./protocol.ts";
import { ToolList } from "./tool-list.ts";

const TTL_MS = 1_000;

function tool(name: string): Tool {
  return { name, inputSchema: { type: "object" } };
}

/** A list whose fetches stay open until the test settles them. */
function openList() {
  const fetches: { succeed(name: string): void; fail(error: unknown): void }[] = [];
  const list = new ToolList(
    () =>
      new Promise((resolve, reject) => {
        fetches.push({ succeed: (name) => resolve({ tools: [tool(name)] }), fail: reject });
      }),
    { ttlMs: TTL_MS, clock: systemClock, serverName: "files" },
  );
  return { list, fetches };
}

async function nameOf(promise: Promise<{ readonly tools: readonly Tool[] }>): Promise<string | undefined> {
  return (await promise).tools[0]?.name;
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("the cache", () => {
  it("fetches once for all who ask meanwhile and afterwards", async () => {
    const { list, fetches } = openList();
    const callers = [list.get(), list.get(), list.get({ timeoutMs: 5 })];
    expect(fetches).toHaveLength(1);
    fetches[0]?.succeed("a");
    const [first, second, third] = await Promise.all(callers);
    expect(second).toBe(first);
    expect(third).toBe(first);
    expect(await list.get()).toBe(first);
    expect(fetches).toHaveLength(1);
  });

  it("expires by the clock, counted from the end of the fetch", async () => {
    const { list, fetches } = openList();
    const first = list.get();
    await vi.advanceTimersByTimeAsync(500);
    fetches[0]?.succeed("a");
    await first;
    await vi.advanceTimersByTimeAsync(TTL_MS - 1);
    expect(await nameOf(list.get())).toBe("a");
    await vi.advanceTimersByTimeAsync(1);
    const second = list.get();
    fetches[1]?.succeed("b");
    expect(await nameOf(second)).toBe("b");
  });

  it("keeps no failure, and gives it to all who waited", async () => {
    const { list, fetches } = openList();
    const callers = [list.get(), list.get({ timeoutMs: 5 })];
    const error = new Error("refused");
    fetches[0]?.fail(error);
    expect(await Promise.allSettled(callers)).toEqual([
      { status: "rejected", reason: error },
      { status: "rejected", reason: error },
    ]);
    const next = list.get();
    fetches[1]?.succeed("a");
    expect(await nameOf(next)).toBe("a");
  });

  it("fetches again after a fetch that threw, or that brought no tools", async () => {
    let calls = 0;
    const fetch = () => {
      calls += 1;
      if (calls === 1) throw new Error("thrown");
      return Promise.resolve(calls === 2 ? JSON.parse("{}") : { tools: [tool("a")] });
    };
    const list = new ToolList(fetch, { ttlMs: TTL_MS, clock: systemClock });
    await expect(list.get()).rejects.toThrow("thrown");
    await expect(list.get()).rejects.toThrow(TypeError);
    expect(await nameOf(list.get())).toBe("a");
  });

  it("shares a frozen copy, so that no caller can change another's list or the server's", async () => {
    const tools = [tool("a")];
    const list = new ToolList(async () => ({ tools }), { ttlMs: TTL_MS, clock: systemClock });
    const result = await list.get();
    expect(Object.isFrozen(result)).toBe(true);
    expect(Object.isFrozen(result.tools)).toBe(true);
    expect(Object.isFrozen(tools)).toBe(false);
    expect(result.tools[0]).toBe(tools[0]);
  });
});

describe("a caller's wait", () => {
  it("ends with the signal's reason, while the others go on waiting for the same fetch", async () => {
    const { list, fetches } = openList();
    const controller = new AbortController();
    const leaving = list.get({ signal: controller.signal });
    const staying = list.get({ signal: new AbortController().signal });
    controller.abort("no longer wanted");
    await expect(leaving).rejects.toBe("no longer wanted");
    fetches[0]?.succeed("a");
    expect(await nameOf(staying)).toBe("a");
    expect(fetches).toHaveLength(1);
  });

  it("does not begin with an aborted signal, even if the list is cached", async () => {
    const { list, fetches } = openList();
    const signal = AbortSignal.abort("too late");
    await expect(list.get({ signal })).rejects.toBe("too late");
    expect(fetches).toHaveLength(0);
    const filled = list.get();
    fetches[0]?.succeed("a");
    await filled;
    await expect(list.get({ signal })).rejects.toBe("too late");
  });

  it("ends at its time limit, while the fetch goes on and fills the cache", async () => {
    const { list, fetches } = openList();
    const error = list.get({ timeoutMs: 50 }).catch((reason: unknown) => reason);
    await vi.advanceTimersByTimeAsync(50);
    expect(await error).toBeInstanceOf(McpTimeoutError);
    expect(await error).toMatchObject({
      phase: "request",
      outcome: "unknown",
      serverName: "files",
      message: 'the tools of MCP server "files" did not arrive within 50 ms; their fetch goes on for other callers',
    });
    fetches[0]?.succeed("a");
    await settle();
    expect(await nameOf(list.get({ timeoutMs: 50 }))).toBe("a");
    expect(fetches).toHaveLength(1);
  });

  it("leaves no listener and no timer behind, however it ends", async () => {
    const { list, fetches } = openList();
    const { signal, abort } = { signal: new AbortController().signal, abort: new AbortController() };
    const waits = [
      list.get({ signal, timeoutMs: 60 }),
      list.get({ signal, timeoutMs: 10 }),
      list.get({ signal: abort.signal, timeoutMs: 60 }),
    ];
    const outcomes = Promise.allSettled(waits);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(3);
    abort.abort();
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(10);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    fetches[0]?.succeed("a");
    await settle();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
    expect((await outcomes).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  });

  it("leaves nothing behind when the fetch fails, nor an unhandled rejection when nobody waits any more", async () => {
    const { list, fetches } = openList();
    const controller = new AbortController();
    const left = list.get({ signal: controller.signal });
    controller.abort("gone");
    await expect(left).rejects.toBe("gone");
    const { signal } = new AbortController();
    fetches[0]?.fail(new Error("first"));
    await settle();
    const failed = list.get({ signal, timeoutMs: 10 });
    fetches[1]?.fail(new Error("second"));
    await expect(failed).rejects.toThrow("second");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("an invalidation", () => {
  it("during a fetch gives the old list to those before it, and a newer one to those after it", async () => {
    const { list, fetches } = openList();
    const before = [list.get(), list.get()];
    list.invalidate();
    const after = [list.get(), list.get({ timeoutMs: 60 })];
    expect(fetches).toHaveLength(1);
    fetches[0]?.succeed("old");
    await settle();
    expect(fetches).toHaveLength(2);
    expect(await Promise.all(before.map(nameOf))).toEqual(["old", "old"]);
    fetches[1]?.succeed("new");
    expect(await Promise.all(after.map(nameOf))).toEqual(["new", "new"]);
    expect(await nameOf(list.get())).toBe("new");
    expect(fetches).toHaveLength(2);
  });

  it("repeated during one fetch costs one more fetch, not many", async () => {
    const { list, fetches } = openList();
    const before = list.get();
    const after = Array.from({ length: 10 }, () => {
      list.invalidate();
      return list.get();
    });
    fetches[0]?.succeed("old");
    await settle();
    fetches[1]?.succeed("new");
    expect(await nameOf(before)).toBe("old");
    expect(new Set(await Promise.all(after.map(nameOf)))).toEqual(new Set(["new"]));
    expect(fetches).toHaveLength(2);
  });

  it("between a newer fetch's start and its end counts against that one too", async () => {
    const { list, fetches } = openList();
    const first = list.get();
    list.invalidate();
    const second = list.get();
    fetches[0]?.succeed("1");
    await settle();
    list.invalidate();
    const third = list.get();
    fetches[1]?.succeed("2");
    await settle();
    fetches[2]?.succeed("3");
    expect(await Promise.all([first, second, third].map(nameOf))).toEqual(["1", "2", "3"]);
    expect(await nameOf(list.get())).toBe("3");
    expect(fetches).toHaveLength(3);
  });

  it("in every order with callers, answers and failures never lets a caller have what began before it, nor two fetches run", async () => {
    const length = 6;
    for (let schedule = 0; schedule < 4 ** length; schedule++) {
      let version = 0;
      let finish: ((succeeds: boolean) => void) | undefined;
      const fetch = () =>
        new Promise<{ tools: Tool[] }>((resolve, reject) => {
          expect(finish).toBeUndefined();
          const name = String(version);
          finish = (succeeds) => {
            finish = undefined;
            if (succeeds) resolve({ tools: [tool(name)] });
            else reject(new Error(name));
          };
        });
      const list = new ToolList(fetch, { ttlMs: TTL_MS, clock: systemClock });
      const checks: Promise<void>[] = [];
      for (let step = 0, rest = schedule; step < length; step++, rest = Math.floor(rest / 4)) {
        const action = rest % 4;
        if (action === 0) {
          const askedAt = version;
          const began = nameOf(list.get()).catch((error: Error) => error.message);
          checks.push(began.then((name) => expect(Number(name)).toBeGreaterThanOrEqual(askedAt)));
        } else if (action === 1) {
          version += 1;
          list.invalidate();
        } else {
          finish?.(action === 2);
          // A varying number of ticks, so that the next step also meets the moments between an answer and its effects.
          for (let tick = schedule % 7; tick > 0; tick--) await Promise.resolve();
        }
      }
      for (let turn = 0; turn < length; turn++) {
        for (let tick = 0; tick < 12; tick++) await Promise.resolve();
        finish?.(true);
      }
      await Promise.all(checks);
    }
  });
});

describe("another server version", () => {
  it("invalidates, and the same one does not", async () => {
    const { list, fetches } = openList();
    list.ensureVersion("files@1.0.0");
    const first = list.get();
    fetches[0]?.succeed("a");
    await first;
    list.ensureVersion("files@1.0.0");
    expect(await nameOf(list.get())).toBe("a");
    list.ensureVersion("files@1.1.0");
    const second = list.get();
    fetches[1]?.succeed("b");
    expect(await nameOf(second)).toBe("b");
  });

  it("is not seen in the first one, which is learnt while the first fetch opens its connection", async () => {
    const { list, fetches } = openList();
    const first = list.get();
    list.ensureVersion("files@1.0.0");
    fetches[0]?.succeed("a");
    await first;
    expect(await nameOf(list.get())).toBe("a");
    expect(fetches).toHaveLength(1);
  });
});
