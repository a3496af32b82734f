import type { Asking, Grant, MakePool, ModelledPool, Resource } from "./modelled-pool.ts";
import type { Program, Step } from "./program.ts";

/** What is looked for, one at a time: a shallow violation would hide the deeper ones. */
export const INVARIANTS = {
  maximum: "never more than the maximum are created, open and being destroyed",
  "one holder": "nothing is lent to two holders at once, or destroyed under its holder",
  answer: "every caller is answered once hooks end and leases come back",
  room: "all room can be lent again afterwards: no lease is lost",
  "one end": "after close, what was created has been destroyed, once",
  close: "close ends",
  quiet: "no error escapes: nothing is thrown at a caller's acquire, no rejection goes unhandled",
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** An invariant that does not hold. */
export class Violation extends Error {}

interface Caller {
  readonly asking: Asking;
  state: "waiting" | "granted" | "failed";
}

interface Held {
  readonly grant: Grant;
  isReleased: boolean;
}

/** Runs one program against a pool behind its adapter, and looks for violations of one invariant. */
export class ProgramRun {
  readonly #program: Program;
  readonly #watched: Invariant;
  readonly #pool: ModelledPool;
  readonly #faults: boolean[];
  readonly #pending: ((isOk: boolean) => void)[] = [];
  readonly #callers: Caller[] = [];
  readonly #held: Held[] = [];
  readonly #former: Held[] = [];
  readonly #created: Resource[] = [];
  /** How often each resource was told to end. */
  readonly #destroyed = new Map<Resource, number>();
  #live = 0;
  #calls = 0;
  #violation: Violation | undefined;

  constructor(makePool: MakePool, program: Program, watched: Invariant) {
    this.#program = program;
    this.#watched = watched;
    this.#faults = [...program.faults];
    const hooks = { create: () => this.#create(), destroy: (resource: Resource) => this.#destroy(resource) };
    this.#pool = makePool(hooks, program.max);
  }

  async run(): Promise<void> {
    const onUnhandled = (error: unknown) => this.#check("quiet", false, `unhandled: ${String(error)}`);
    process.on("unhandledRejection", onUnhandled);
    try {
      for (const step of this.#program.steps) {
        await this.#execute(step);
        if (this.#violation !== undefined) break;
      }
      await this.#quiesce();
    } finally {
      process.off("unhandledRejection", onUnhandled);
    }
    if (this.#violation !== undefined) throw this.#violation;
  }

  async #execute({ do: name, index }: Step): Promise<void> {
    switch (name) {
      case "acquire":
        this.#acquire();
        return;
      case "release":
      case "discard": {
        const held = pick(this.#held, index);
        if (held !== undefined) this.#giveBack(held, name);
        return;
      }
      case "release-again": {
        const former = pick(this.#former, index);
        if (former !== undefined) attempt(() => former.grant.release());
        return;
      }
      case "abort": {
        const caller = pick(
          this.#callers.filter(({ state, asking }) => state === "waiting" && asking.abort !== undefined),
          index,
        );
        if (caller !== undefined) attempt(() => caller.asking.abort?.());
        return;
      }
      case "complete":
        pick(this.#pending, index)?.(true);
        return;
      case "microtasks":
        for (let turn = 0; turn < index; turn++) await undefined;
        return;
      case "settle":
        await turnOfTheLoop();
    }
  }

  #acquire(): void {
    let asking: Asking;
    try {
      asking = this.#pool.acquire();
    } catch (error) {
      this.#check("quiet", false, `acquire threw: ${String(error)}`);
      return;
    }
    const caller: Caller = { asking, state: "waiting" };
    this.#callers.push(caller);
    asking.granted.then(
      (grant) => {
        caller.state = "granted";
        this.#hold(grant);
      },
      () => {
        caller.state = "failed";
      },
    );
  }

  #hold(grant: Grant): void {
    const { resource } = grant;
    const isHeld = this.#held.some((held) => held.grant.resource === resource);
    this.#check("one holder", !isHeld, `resource ${resource.id} has two holders`);
    this.#check("one holder", !this.#destroyed.has(resource), `resource ${resource.id} was lent after its end`);
    this.#held.push({ grant, isReleased: false });
  }

  #giveBack(held: Held, how: "release" | "discard"): void {
    this.#held.splice(this.#held.indexOf(held), 1);
    this.#former.push(held);
    attempt(() => held.grant[how]());
  }

  /** Ends every hook well and gives everything back; then all that was promised must have come true. */
  async #quiesce(): Promise<void> {
    this.#faults.length = 0;
    await this.#endWell();
    const waiting = this.#callers.filter(({ state }) => state === "waiting").length;
    this.#check("answer", waiting === 0, `${waiting} callers are never answered`);
    if (this.#watched === "room") await this.#lendAll();
    let isClosed = false;
    const closed = () => {
      isClosed = true;
    };
    attempt(() => void this.#pool.close().then(closed, closed));
    for (let turn = 0; turn < 40 && !isClosed; turn++) {
      this.#endHooks();
      await turnOfTheLoop();
      if (turn > 10) await pause();
    }
    this.#check("close", isClosed, "close never ends");
    await this.#endWell();
    for (const resource of this.#created) {
      const ends = this.#destroyed.get(resource) ?? 0;
      this.#check("one end", ends === 1, `resource ${resource.id} was destroyed ${ends} times`);
    }
  }

  async #lendAll(): Promise<void> {
    const before = this.#held.length;
    for (let index = 0; index < this.#program.max; index++) this.#acquire();
    for (let turn = 0; turn < 20 && this.#held.length < this.#program.max; turn++) {
      this.#endHooks();
      await turnOfTheLoop();
      if (turn > 10) await pause();
    }
    const lent = this.#held.length - before;
    this.#check("room", lent === this.#program.max, `only ${lent} of ${this.#program.max} can be lent`);
    for (const held of [...this.#held]) this.#giveBack(held, "release");
    await this.#endWell();
  }

  async #endWell(): Promise<void> {
    for (let turn = 0; turn < 40; turn++) {
      this.#endHooks();
      for (const held of [...this.#held]) this.#giveBack(held, "release");
      await turnOfTheLoop();
      const isDone = this.#pending.length === 0 && this.#held.length === 0;
      if (isDone && turn > 2 && this.#callers.every(({ state }) => state !== "waiting")) return;
      // Some pools pause before they try again.
      if (isDone && turn > 10) await pause();
    }
  }

  #endHooks(): void {
    for (const end of [...this.#pending]) end(true);
  }

  #create(): Promise<Resource> {
    this.#live++;
    this.#check("maximum", this.#live <= this.#program.max, `${this.#live} are live of at most ${this.#program.max}`);
    return this.#call(
      () => {
        const resource: Resource = { id: this.#created.length + 1, isBroken: false };
        this.#created.push(resource);
        return resource;
      },
      () => void this.#live--,
    );
  }

  #destroy(resource: Resource): Promise<void> {
    const times = (this.#destroyed.get(resource) ?? 0) + 1;
    this.#destroyed.set(resource, times);
    const isHeld = this.#held.some((held) => held.grant.resource === resource);
    this.#check("one holder", !isHeld, `resource ${resource.id} is destroyed under its holder`);
    this.#check("one end", times === 1, `resource ${resource.id} is destroyed again`);
    const end = () => {
      if (times === 1) this.#live--;
    };
    return this.#call(end, end);
  }

  #call<T>(succeed: () => T, onFailed: () => void): Promise<T> {
    const isFault = this.#faults.shift() === true;
    const isAutomatic = this.#program.automatic[this.#calls++ % this.#program.automatic.length] === true;
    return new Promise((resolve, reject) => {
      const end = (isOk: boolean) => {
        const index = this.#pending.indexOf(end);
        if (index >= 0) this.#pending.splice(index, 1);
        if (isOk && !isFault) {
          resolve(succeed());
          return;
        }
        onFailed();
        reject(new Error("the hook failed"));
      };
      if (isAutomatic) end(true);
      else this.#pending.push(end);
    });
  }

  #check(invariant: Invariant, holds: boolean, message: string): void {
    if (!holds && invariant === this.#watched) this.#violation ??= new Violation(message);
  }
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list.length === 0 ? undefined : list[index % list.length];
}

/** What a misused pool throws is its own affair here. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Some pools throw at a stale release, which is fine.
  }
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function pause(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 2));
}
