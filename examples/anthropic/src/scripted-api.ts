import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import type { BetaMessageParam } from "@anthropic-ai/sdk/resources/beta/messages";
import type { CallInStory } from "agent-story";

/** Anthropic's API, played on this machine by a model that calls these tools in its first turn, and ends in the second. */
export interface ScriptedApi {
  readonly url: string;
  calls: readonly CallInStory[];
  /** What the model was told of each call. */
  told: readonly string[];
  close(): void;
}

/** Starts the API on a free port of this machine. */
export async function startScriptedApi(): Promise<ScriptedApi> {
  const server = createServer((request, response) => {
    void answer(request).then((message) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify(message));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const api: ScriptedApi = {
    url: `http://127.0.0.1:${port}`,
    calls: [],
    told: [],
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };

  async function answer(request: IncomingMessage): Promise<object> {
    const { messages } = (await json(request)) as { readonly messages: readonly BetaMessageParam[] };
    const blocks = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
    api.told = blocks.filter((block) => block?.type === "tool_result").map((block) => JSON.stringify(block));
    const isFirst = api.told.length === 0;
    const calls = api.calls.map(({ name, args }, index) => ({ type: "tool_use", id: `${index}`, name, input: args }));
    return {
      id: "message",
      type: "message",
      role: "assistant",
      model: "scripted",
      content: isFirst ? calls : [{ type: "text", text: "Done." }],
      stop_reason: isFirst ? "tool_use" : "end_turn",
      usage: { input_tokens: 1, output_tokens: 1 },
    };
  }

  return api;
}
