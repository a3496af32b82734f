import { invalidParams } from "../rpc-error.ts";
import { isKnownResource } from "../static-resources.ts";
import { inputs, json, type ScriptedTool, text } from "./scripted-tool.ts";

const changeTools: ScriptedTool = {
  definition: {
    name: "change-tools",
    description: "Adds the tool, or removes it where there is one, and tells every session.",
    inputSchema: inputs({ name: { type: "string" } }),
  },
  run: async ({ given, session }) => {
    const name = given.text("name");
    const isThere = session.backend.tool(name) !== undefined;
    await session.backend.changeTools(isThere ? { remove: name } : { add: addedTool(name) });
    return text(isThere ? "removed" : "added");
  },
};

const touchResource: ScriptedTool = {
  definition: {
    name: "touch-resource",
    description: "Changes a resource and tells the sessions that subscribed to it.",
    inputSchema: inputs({ uri: { type: "string" } }),
  },
  run: async ({ given, session }) => {
    const uri = given.text("uri");
    if (!isKnownResource(uri)) throw invalidParams(`Unknown resource ${uri}`);
    const subscribers = await session.backend.touch(uri);
    return json({ uri, touches: session.backend.touches(uri), subscribers });
  },
};

/** Tools that change what the server offers. */
export const changingTools: readonly ScriptedTool[] = [changeTools, touchResource];

function addedTool(name: string): ScriptedTool {
  return {
    definition: { name, description: "A tool that was added at run time.", inputSchema: inputs({}) },
    run: () => text(`answer of ${name}`),
  };
}
