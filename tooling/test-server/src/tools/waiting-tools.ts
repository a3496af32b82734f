import { setTimeout as delay } from "node:timers/promises";
import { inputs, type ScriptedTool, type ToolCall, text } from "./scripted-tool.ts";

const sleep: ScriptedTool = {
  definition: {
    name: "sleep",
    description: "Answers after a while; a cancellation ends the wait.",
    inputSchema: inputs({ ms: { type: "number" } }),
    annotations: { readOnlyHint: true },
  },
  run: async ({ given, extra }) => {
    const ms = given.number("ms");
    await delay(ms, undefined, { signal: extra.signal });
    return text(`slept ${ms} ms`);
  },
};

const busy: ScriptedTool = {
  definition: {
    name: "busy",
    description: "Keeps the process busy, so that it answers nothing else meanwhile, not even a ping.",
    inputSchema: inputs({ ms: { type: "number" } }),
  },
  run: ({ given }) => {
    const ms = given.number("ms");
    const end = performance.now() + ms;
    while (performance.now() < end);
    return text(`was busy for ${ms} ms`);
  },
};

const hang: ScriptedTool = {
  definition: { name: "hang", description: "Never answers.", inputSchema: inputs({}) },
  run: ({ extra }) => untilCancelled(extra.signal),
};

const slowAfterAbort: ScriptedTool = {
  definition: {
    name: "slow-after-abort",
    description: "Works on after a cancellation; its start and end are counted under the key.",
    inputSchema: inputs({ key: { type: "string" }, ms: { type: "number" } }),
  },
  run: async ({ given, session }) => {
    const key = given.text("key");
    const { ledger, closingSignal } = session.backend;
    ledger.start(key);
    await delay(given.number("ms"), undefined, { signal: closingSignal });
    ledger.end(key);
    return text(`finished ${key}`);
  },
};

/** Tools that answer late or never. */
export const waitingTools: readonly ScriptedTool[] = [sleep, busy, hang, slowAfterAbort];

/** Waits until the request is cancelled or its session ends, so that nothing of it stays behind. */
export function untilCancelled(signal: ToolCall["extra"]["signal"]): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
