import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";
import type { CallInStory } from "agent-story";

/** A model that calls these tools in its first turn, and ends in the second. */
export class ScriptedModel extends BaseChatModel {
  readonly #calls: readonly CallInStory[];

  constructor(calls: readonly CallInStory[]) {
    super({});
    this.#calls = calls;
  }

  override _llmType(): string {
    return "scripted";
  }

  override bindTools(): this {
    return this;
  }

  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const calls = this.#calls.map(({ name, args }, index) => ({ id: `${index}`, name, args: { ...args } }));
    const isFirst = told(messages).length === 0;
    const message = isFirst ? new AIMessage({ content: "", tool_calls: calls }) : new AIMessage("Done.");
    return { generations: [{ text: message.text, message }] };
  }
}

/** What the model was told of each call. */
export function told(messages: readonly BaseMessage[]): readonly string[] {
  return messages.filter((message) => ToolMessage.isInstance(message)).map(({ content }) => JSON.stringify(content));
}
