import type { ClientHandlers, McpPoolManager } from "mcp-pool";
import type { ProgramClient } from "./scripts.ts";

/** Makes every request through a manager, never past it. */
export function throughManager(manager: McpPoolManager, server: string): ProgramClient {
  return {
    listTools: () => manager.listTools(server),
    callTool: (params) => manager.callTool(server, params),
    listResources: () => manager.listResources(server),
    readResource: (params) => manager.readResource(server, params),
    listPrompts: () => manager.listPrompts(server),
    getPrompt: (params) => manager.getPrompt(server, params),
    close: () => manager.close(),
  };
}

/** Makes the handlers of a client that takes the suite's questions. */
export function handlersOf({
  elicited,
  isAble,
}: {
  readonly elicited: Readonly<Record<string, boolean>> | undefined;
  readonly isAble: boolean;
}): ClientHandlers | undefined {
  if (elicited === undefined && !isAble) return undefined;
  return {
    elicitation: () => ({ action: "accept", content: { ...elicited } }),
    features: { elicitation: { form: { applyDefaults: true } } },
    ...(isAble && {
      sampling: () => ({ model: "none", role: "assistant", content: { type: "text", text: "" } }),
      roots: () => [],
    }),
  };
}
