import {
  type CallToolResult,
  CreateMessageResultSchema,
  ElicitResultSchema,
  ListRootsResultSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { inputs, json, type ScriptedTool, type ToolCall } from "./scripted-tool.ts";

const STANDALONE = { standalone: { type: "boolean" } };

const askModel: ScriptedTool = {
  definition: {
    name: "ask-model",
    description: "Has the client's model say something, and answers what that was.",
    inputSchema: inputs({ prompt: { type: "string" }, ...STANDALONE }, ["standalone"]),
  },
  run: (call) => {
    const content = { type: "text" as const, text: call.given.text("prompt") };
    const params = { messages: [{ role: "user" as const, content }], maxTokens: 100 };
    const request = { method: "sampling/createMessage" as const, params };
    return answerOf(call, () =>
      isStandalone(call)
        ? call.session.server.createMessage(params)
        : call.extra.sendRequest(request, CreateMessageResultSchema),
    );
  },
};

const askUser: ScriptedTool = {
  definition: {
    name: "ask-user",
    description: "Asks the client's user for a name, and answers what the user did.",
    inputSchema: inputs({ message: { type: "string" }, ...STANDALONE }, ["standalone"]),
  },
  run: (call) => {
    const requestedSchema = { type: "object" as const, properties: { name: { type: "string" as const } } };
    const params = { message: call.given.text("message"), requestedSchema };
    const request = { method: "elicitation/create" as const, params };
    return answerOf(call, () =>
      isStandalone(call)
        ? call.session.server.elicitInput(params)
        : call.extra.sendRequest(request, ElicitResultSchema),
    );
  },
};

const askRoots: ScriptedTool = {
  definition: {
    name: "ask-roots",
    description: "Asks which folders it may work in, and answers them.",
    inputSchema: inputs(STANDALONE, ["standalone"]),
  },
  run: (call) =>
    answerOf(call, () =>
      isStandalone(call)
        ? call.session.server.listRoots()
        : call.extra.sendRequest({ method: "roots/list" }, ListRootsResultSchema),
    ),
};

/** Tools that ask the client something: within the call, or with `standalone` on the session's own stream. */
export const askingTools: readonly ScriptedTool[] = [askModel, askUser, askRoots];

function isStandalone({ given }: ToolCall): boolean {
  return given.flag("standalone");
}

/** A refusal is part of the answer, so that a test sees what the server was told. */
async function answerOf({ session }: ToolCall, ask: () => Promise<object>): Promise<CallToolResult> {
  const capabilities = session.initialize?.capabilities ?? {};
  try {
    return json({ answer: await ask(), capabilities });
  } catch (error) {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    return json({ refusal: { code, message }, capabilities });
  }
}
