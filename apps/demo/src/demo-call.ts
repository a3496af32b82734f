import type { CallToolResult } from "mcp-pool";

/** One tool call whose right answer is known. */
export interface DemoCall {
  readonly server: string;
  readonly tool: string;
  /** Whether running it twice does no harm, so that it may be repeated when its answer is lost. */
  readonly isSafeToRepeat: boolean;
  /** Fills in the arguments, just before the call is sent. */
  prepare(): PreparedCall;
}

/** A call that is about to be sent. */
export interface PreparedCall {
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Says what is wrong with an answer; nothing if it is right. */
  problemOf(result: CallToolResult): string | undefined;
}

/** Compares a piece of an answer with what it must be. */
export function expectEqual(actual: unknown, expected: unknown): string | undefined {
  const [is, shouldBe] = [JSON.stringify(actual), JSON.stringify(expected)];
  return is === shouldBe ? undefined : `got ${is} instead of ${shouldBe}`;
}

/** Returns the text that an answer begins with. */
export function textOf(result: CallToolResult): string | undefined {
  const [first] = result.content;
  return first?.type === "text" ? first.text : undefined;
}
