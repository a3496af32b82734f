import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";

/** One tool of a mock. Without a `result` or a `handler` it answers with its arguments. */
export interface MockTool {
  readonly description?: string | undefined;
  /** JSON Schema of the arguments. @default any object */
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined;
  /** The answer: a string is its text, an object with `content` is the whole result, all else is its JSON. */
  readonly result?: unknown;
  /** Whether the answer is a result with `isError`. @default false */
  readonly isError?: boolean | undefined;
  /** Milliseconds until it answers. @default that of the mock */
  readonly latencyMs?: number | undefined;
  /** Makes the answer, in place of `result`. */
  readonly handler?: ((args: Readonly<Record<string, unknown>>) => unknown) | undefined;
}

/** One fault of a mock. */
export interface MockFault {
  /** `error` is a JSON-RPC error, `disconnect` loses the connection, `hang` never answers, `refuse` opens no connection. */
  readonly kind: "error" | "disconnect" | "hang" | "refuse";
  /** The tool it meets. @default every tool */
  readonly tool?: string | undefined;
  /** It meets each nth call, or connect. @default 1 */
  readonly every?: number | undefined;
  /** How often it happens. @default without an end */
  readonly times?: number | undefined;
  /** Message of the error. */
  readonly message?: string | undefined;
}

/** Counts calls and connects over all connections of a mock, and says which of them meet a fault. */
export class MockFaults {
  readonly #faults: { readonly fault: MockFault; seen: number; left: number }[];

  constructor(faults: readonly MockFault[]) {
    this.#faults = faults.map((fault) => ({ fault, seen: 0, left: fault.times ?? Infinity }));
  }

  /** Returns the fault that the next connect meets. */
  nextConnect(): MockFault | undefined {
    return this.#next(({ kind }) => kind === "refuse");
  }

  /** Returns the fault that the next call of a tool meets. */
  nextCall(tool: string): MockFault | undefined {
    return this.#next((fault) => fault.kind !== "refuse" && (fault.tool === undefined || fault.tool === tool));
  }

  #next(meets: (fault: MockFault) => boolean): MockFault | undefined {
    let met: MockFault | undefined;
    for (const each of this.#faults) {
      if (!meets(each.fault)) continue;
      each.seen++;
      if (met !== undefined || each.left === 0 || each.seen % (each.fault.every ?? 1) !== 0) continue;
      each.left--;
      met = each.fault;
    }
    return met;
  }
}

/** Makes a tool's answer. */
export async function answerOf(tool: MockTool, args: Readonly<Record<string, unknown>>): Promise<CallToolResult> {
  const value = tool.handler === undefined ? (tool.result ?? echoed(args)) : await tool.handler(args);
  const isError = tool.isError === true ? { isError: true } : {};
  if (typeof value === "object" && value !== null && "content" in value && Array.isArray(value.content)) {
    return { ...(value as CallToolResult), ...isError };
  }
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return { content: [{ type: "text", text }], ...isError };
}

/** A message is echoed as it is, all else as JSON. */
function echoed(args: Readonly<Record<string, unknown>>): unknown {
  const { message, ...rest } = args;
  return typeof message === "string" && Object.keys(rest).length === 0 ? message : args;
}
