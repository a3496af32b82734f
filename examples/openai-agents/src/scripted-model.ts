import { type Model, type ModelRequest, type ModelResponse, type StreamEvent, Usage } from "@openai/agents";
import type { CallInStory } from "agent-story";

/** A model that calls these tools in its first turn, and ends in the second. */
export class ScriptedModel implements Model {
  readonly #calls: readonly CallInStory[];
  /** What the model was told of each call. */
  told: readonly string[] = [];

  constructor(calls: readonly CallInStory[]) {
    this.#calls = calls;
  }

  async getResponse({ input }: ModelRequest): Promise<ModelResponse> {
    const results = typeof input === "string" ? [] : input.filter(({ type }) => type === "function_call_result");
    this.told = results.map((result) => JSON.stringify(result));
    return { usage: new Usage(), output: results.length === 0 ? this.#callTools() : END };
  }

  getStreamedResponse(): AsyncIterable<StreamEvent> {
    throw new Error("this model does not stream");
  }

  #callTools(): ModelResponse["output"] {
    return this.#calls.map(({ name, args }, index) => ({
      type: "function_call",
      callId: `${index}`,
      name,
      arguments: JSON.stringify(args),
      status: "completed",
    }));
  }
}

const END: ModelResponse["output"] = [
  { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: "Done." }] },
];
