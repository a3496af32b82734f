import type { PoolControl } from "@mcp-pool/core";
import { EventRecorder } from "@mcp-pool/core/testing";
import type { Attributes } from "@opentelemetry/api";
import { describe, expect, test } from "vitest";
import { MeasurementQueue } from "../src/measurement-queue.ts";
import { measuredPool } from "./measured-pool.ts";

const ATTRIBUTES: Attributes = { "mcp_pool.server": "files" };

function queueOfPool() {
  let control: PoolControl | undefined;
  const { pool, clock } = measuredPool([
    {
      name: "test",
      install: (own) => {
        control = own;
        return {};
      },
    },
  ]);
  if (control === undefined) throw new Error("the plugin was not installed");
  const recorded: number[] = [];
  const record = (value: number, attributes: Attributes) => {
    expect(attributes).toBe(ATTRIBUTES);
    recorded.push(value);
  };
  return { pool, clock, queue: new MeasurementQueue(control), record, recorded };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("measurements", () => {
  test("wait for 10 ms where they are few, and are recorded in their order", async () => {
    const { clock, queue, record, recorded } = queueOfPool();
    for (const value of numbers(3)) queue.push(record, value, ATTRIBUTES);
    await clock.advance(9);
    expect(recorded).toEqual([]);
    await clock.advance(1);
    expect(recorded).toEqual([0, 1, 2]);
    queue.push(record, 3, ATTRIBUTES);
    await clock.advance(10);
    expect(recorded).toEqual([0, 1, 2, 3]);
  });

  test("wait for the end of the turn where they make a batch", async () => {
    const { queue, record, recorded } = queueOfPool();
    for (const value of numbers(100)) queue.push(record, value, ATTRIBUTES);
    await Promise.resolve();
    expect(recorded).toEqual([]);
    await new Promise(setImmediate);
    expect(recorded).toEqual(numbers(100));
    for (const value of numbers(60)) queue.push(record, value, ATTRIBUTES);
    await new Promise(setImmediate);
    expect(recorded).toEqual([...numbers(100), ...numbers(60)]);
  });

  test("do not fill the memory when no turn ends", () => {
    const { queue, record, recorded } = queueOfPool();
    for (const value of numbers(3_001)) queue.push(record, value, ATTRIBUTES);
    expect(recorded).toEqual(numbers(3_000));
  });

  test("are recorded at once for whoever reads", async () => {
    const { clock, queue, record, recorded } = queueOfPool();
    queue.push(record, 1, ATTRIBUTES);
    queue.flush();
    expect(recorded).toEqual([1]);
    await clock.advance(10);
    expect(recorded).toEqual([1]);
  });

  test("do not suffer from one that cannot be recorded, which is reported", async () => {
    const { pool, clock, queue, record, recorded } = queueOfPool();
    const recorder = new EventRecorder(pool);
    const error = new Error("bad exporter");
    const fail = () => {
      throw error;
    };
    queue.push(record, 1, ATTRIBUTES);
    queue.push(fail, 2, ATTRIBUTES);
    queue.push(record, 3, ATTRIBUTES);
    await clock.advance(10);
    expect(recorded).toEqual([1, 3]);
    expect(recorder.events).toMatchObject([{ type: "listener-failed", error }]);
  });
});
