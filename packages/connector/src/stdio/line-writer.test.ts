import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { type LineOwner, LineWriter, NotWritten } from "./line-writer.ts";

interface Owner extends LineOwner {
  readonly name: string;
}

/** Plays a pipe: keeps what is written, and ends each write as it is told, at once or later. */
class Pipe extends Writable {
  readonly writes: string[] = [];
  failure: Error | undefined;
  isSlow = false;
  finish: () => void = () => {};

  constructor() {
    super({ decodeStrings: false });
    this.on("error", () => {});
  }

  override _write(chunk: unknown, _encoding: string, done: (error?: Error) => void): void {
    this.writes.push(String(chunk));
    if (this.isSlow) this.finish = () => done(this.failure);
    else done(this.failure);
  }
}

function writing() {
  const pipe = new Pipe();
  const settled: Record<string, Error | undefined> = {};
  const writer = new LineWriter<Owner>(pipe, ({ name }, error) => {
    settled[name] = error;
  });
  const push = (name: string): { isOpen: boolean; sent: boolean } => {
    const owner = { name, isOpen: true, sent: false };
    writer.push(`${name}\n`, owner);
    return owner;
  };
  return { pipe, writer, settled, push };
}

const turn = () => new Promise(setImmediate);

describe("LineWriter", () => {
  test("writes the lines of one tick together, in their order", async () => {
    const { pipe, settled, push } = writing();
    const owners = [push("a"), push("b")];
    await Promise.resolve().then(() => owners.push(push("c")));
    expect(pipe.writes).toEqual([]);
    expect(owners.some(({ sent }) => sent)).toBe(false);
    await turn();
    expect(pipe.writes).toEqual(["a\nb\nc\n"]);
    expect(owners.every(({ sent }) => sent)).toBe(true);
    push("d");
    await turn();
    expect(pipe.writes).toEqual(["a\nb\nc\n", "d\n"]);
    expect(settled).toEqual({ a: undefined, b: undefined, c: undefined, d: undefined });
  });

  test("does not keep much waiting", () => {
    const { pipe, push } = writing();
    const long = "x".repeat(40_000);
    push(long);
    expect(pipe.writes).toEqual([]);
    push(long);
    expect(pipe.writes).toEqual([`${long}\n${long}\n`]);
  });

  test("leaves out what nobody wants any more, and tells nobody", async () => {
    const { pipe, settled, push } = writing();
    push("a");
    const gone = push("b");
    push("c");
    gone.isOpen = false;
    await turn();
    expect(pipe.writes).toEqual(["a\nc\n"]);
    expect(gone.sent).toBe(false);
    expect(Object.keys(settled)).toEqual(["a", "c"]);
    push("d").isOpen = false;
    await turn();
    expect(pipe.writes).toEqual(["a\nc\n"]);
  });

  test("writes at once when it is told to", async () => {
    const { pipe, writer, push } = writing();
    push("a");
    writer.flush();
    expect(pipe.writes).toEqual(["a\n"]);
    await turn();
    expect(pipe.writes).toEqual(["a\n"]);
  });

  test("nothing has arrived of what fails at once", async () => {
    const { pipe, settled, push } = writing();
    pipe.failure = new Error("EPIPE");
    push("a");
    push("b");
    await turn();
    expect(settled).toEqual({ a: expect.any(NotWritten), b: expect.any(NotWritten) });
    expect(settled.a?.cause).toBe(pipe.failure);
  });

  test("of what fails later, the last line alone has not arrived for certain", async () => {
    const { pipe, settled, push } = writing();
    pipe.failure = new Error("EPIPE");
    pipe.isSlow = true;
    push("a");
    push("b");
    await turn();
    pipe.finish();
    await turn();
    expect(settled).toEqual({ a: pipe.failure, b: expect.any(NotWritten) });
  });

  test("of what was buffered behind other lines nobody knows", async () => {
    const { pipe, settled, push } = writing();
    pipe.failure = new Error("EPIPE");
    pipe.isSlow = true;
    push("a");
    await turn();
    push("b");
    await turn();
    pipe.finish();
    await turn();
    expect(settled.a).toBeInstanceOf(NotWritten);
    expect(settled.b).toBeInstanceOf(Error);
    expect(settled.b).not.toBeInstanceOf(NotWritten);
  });

  test("writes nothing to a stream that has ended, nor what was dropped", async () => {
    const { pipe, writer, settled, push } = writing();
    const cause = new Error("exited");
    push("a");
    writer.drop(cause);
    expect(settled.a).toMatchObject({ name: "NotWritten", cause });
    pipe.end();
    push("b");
    await turn();
    expect(settled.b).toBeInstanceOf(NotWritten);
    expect(pipe.writes).toEqual([]);
  });
});
