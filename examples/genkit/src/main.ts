import { toGenkitTools } from "@mcp-pool/agent-adapter/genkit";
import { type CallInStory, tellStory } from "agent-story";
import { type GenerateRequest, genkit } from "genkit";

/** An agent of Genkit: tools of both servers go into `generate`, as any tools do. */
await tellStory("Genkit", async (servers) => {
  const ai = genkit({});
  // Genkit wants new tools for each run; the pool keeps the list, so no server is asked.
  const makeTools = () => toGenkitTools(ai, servers);
  const scripted: { calls: readonly CallInStory[]; told: readonly string[] } = { calls: [], told: [] };

  // A model that calls these tools in its first turn, and ends in the second.
  const model = ai.defineModel({ name: "scripted", supports: { tools: true, multiturn: true } }, async (request) => {
    scripted.told = told(request);
    const calls = scripted.calls.map(({ name, args }, index) => {
      return { toolRequest: { name, ref: `${index}`, input: args } };
    });
    const content = scripted.told.length === 0 ? calls : [{ text: "Done." }];
    return { message: { role: "model", content }, finishReason: "stop" };
  });

  return {
    toolNames: (await makeTools()).map(({ __action }) => __action.name),
    async run(calls, signal) {
      scripted.calls = calls;
      const tools = await makeTools();
      // Genkit keeps the signal of a run from its tools, but not the context.
      await ai.generate({ model, tools, prompt: "Go on.", abortSignal: signal, context: { abortSignal: signal } });
      return scripted.told;
    },
  };
});

/** What the model was told of each call, in the order of the calls. */
function told({ messages }: GenerateRequest): readonly string[] {
  const parts = messages.flatMap(({ role, content }) => (role === "tool" ? content : []));
  const responses = parts
    .map(({ toolResponse }) => toolResponse)
    .sort((one, other) => Number(one?.ref) - Number(other?.ref));
  return responses.map((response) => JSON.stringify(response?.output));
}
