import { RpcError } from "../rpc-error.ts";
import { inputs, json, type ScriptedTool, text } from "./scripted-tool.ts";

// A transparent PNG of one pixel.
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

const echo: ScriptedTool = {
  definition: {
    name: "echo",
    description: "Answers the message.",
    inputSchema: inputs({ message: { type: "string" } }),
    annotations: { readOnlyHint: true },
  },
  run: ({ given }) => text(given.text("message")),
};

const add: ScriptedTool = {
  definition: {
    name: "add",
    description: "Adds two numbers.",
    inputSchema: inputs({ a: { type: "number" }, b: { type: "number" } }),
    annotations: { readOnlyHint: true },
  },
  run: ({ given }) => text(String(given.number("a") + given.number("b"))),
};

const structured: ScriptedTool = {
  definition: {
    name: "structured",
    description: "Answers the message and its length as structured content; with `lie`, against its own output schema.",
    inputSchema: inputs({ message: { type: "string" }, lie: { type: "boolean" } }, ["lie"]),
    outputSchema: {
      type: "object",
      properties: { message: { type: "string" }, length: { type: "integer" } },
      required: ["message", "length"],
    },
  },
  run: ({ given }) => {
    const message = given.text("message");
    return json({ message, length: given.flag("lie") ? "many" : message.length });
  },
};

const image: ScriptedTool = {
  definition: { name: "image", description: "Answers a PNG of one pixel.", inputSchema: inputs({}) },
  run: () => ({ content: [{ type: "image", data: PIXEL, mimeType: "image/png" }] }),
};

const large: ScriptedTool = {
  definition: {
    name: "large",
    description: "Answers a text of that many bytes.",
    inputSchema: inputs({ bytes: { type: "integer" } }),
  },
  run: ({ given }) => text("x".repeat(given.number("bytes"))),
};

const fail: ScriptedTool = {
  definition: {
    name: "fail",
    description: "Answers a result that is an error.",
    inputSchema: inputs({ message: { type: "string" } }, ["message"]),
  },
  run: ({ given }) => ({ ...text(given.text("message", "failed on request")), isError: true }),
};

const throwing: ScriptedTool = {
  definition: {
    name: "throw",
    description: "Answers a JSON-RPC error.",
    inputSchema: inputs({ code: { type: "integer" }, message: { type: "string" }, data: {} }, [
      "code",
      "message",
      "data",
    ]),
  },
  run: ({ given }) => {
    throw new RpcError(given.number("code", -32_000), given.text("message", "thrown on request"), given.any("data"));
  },
};

/** Tools that answer at once. */
export const answeringTools: readonly ScriptedTool[] = [echo, add, structured, image, large, fail, throwing];
