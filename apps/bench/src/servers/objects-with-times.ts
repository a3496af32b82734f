import { setTimeout as delay } from "node:timers/promises";
import type { Connector } from "@mcp-pool/core";
import { nothing } from "../plain/mcp-pool-of-objects.ts";

/** Connects to nothing, but takes its time: for schedules that a real server does not keep to the millisecond. */
export class SlowConnector implements Connector {
  readonly suggestedConcurrency: number;
  opened = 0;
  readonly #connectMs: number;
  readonly #callMs: number;

  constructor({ connectMs, callMs, concurrency }: { connectMs: number; callMs: number; concurrency: number }) {
    this.#connectMs = connectMs;
    this.#callMs = callMs;
    this.suggestedConcurrency = concurrency;
  }

  async connect(...[request]: Parameters<Connector["connect"]>): Promise<Awaited<ReturnType<Connector["connect"]>>> {
    this.opened++;
    await delay(this.#connectMs);
    const connection = await nothing.connect(request);
    const call = async () => {
      await delay(this.#callMs);
      return { content: [] };
    };
    const own = { suggestedConcurrency: this.suggestedConcurrency, request: call, startRequest: undefined };
    return Object.assign(connection, own);
  }
}
