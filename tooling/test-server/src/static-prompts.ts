import type { GetPromptResult, Prompt } from "@modelcontextprotocol/sdk/types.js";
import { invalidParams } from "./rpc-error.ts";

/** Lists the prompts. */
export const staticPrompts: readonly Prompt[] = [
  { name: "greeting", description: "A greeting." },
  {
    name: "review",
    description: "A review of a piece of code.",
    arguments: [{ name: "code", required: true }, { name: "language" }],
  },
];

/** Lists the languages that completion offers for the `review` prompt. */
export const languages: readonly string[] = ["java", "javascript", "typescript"];

/** Fills a prompt in. */
export function getStaticPrompt(name: string, given: Readonly<Record<string, string>> = {}): GetPromptResult {
  switch (name) {
    case "greeting":
      return messageOf("Say hello.");
    case "review":
      if (given.code === undefined) throw invalidParams('Prompt "review" needs the argument "code"');
      return messageOf(`Review this ${given.language ?? "code"}: ${given.code}`);
    default:
      throw invalidParams(`Unknown prompt ${name}`);
  }
}

function messageOf(text: string): GetPromptResult {
  return { messages: [{ role: "user", content: { type: "text", text } }] };
}
