import { inputs, json, type ScriptedTool, text } from "./scripted-tool.ts";

const set: ScriptedTool = {
  definition: {
    name: "set",
    description: "Remembers a value in this session.",
    inputSchema: inputs({ key: { type: "string" }, value: { type: "string" } }),
  },
  run: ({ given, session }) => {
    session.values.set(given.text("key"), given.text("value"));
    return text("set");
  },
};

const get: ScriptedTool = {
  definition: {
    name: "get",
    description: "Answers a value of this session; the answer is an error if there is none.",
    inputSchema: inputs({ key: { type: "string" } }),
    annotations: { readOnlyHint: true },
  },
  run: ({ given, session }) => {
    const value = session.values.get(given.text("key"));
    return value === undefined ? { ...text(`no value for ${given.text("key")}`), isError: true } : text(value);
  },
};

const sessionInfo: ScriptedTool = {
  definition: {
    name: "session-info",
    description: "Answers what the server sees: process, session, requests, and the headers and variables asked for.",
    inputSchema: inputs(
      {
        headers: { type: "array", items: { type: "string" } },
        variables: { type: "array", items: { type: "string" } },
      },
      ["headers", "variables"],
    ),
    annotations: { readOnlyHint: true },
  },
  run: ({ given, session, extra }) => {
    const received = extra.requestInfo?.headers ?? {};
    return json({
      pid: process.pid,
      cwd: process.cwd(),
      sessionId: extra.sessionId,
      requestId: extra.requestId,
      requestsSeen: session.requestsSeen,
      protocolVersion: session.initialize?.protocolVersion,
      clientInfo: session.initialize?.clientInfo,
      headers: pick(received, given.texts("headers")),
      variables: pick(process.env, given.texts("variables")),
      meta: extra._meta ?? {},
    });
  },
};

/** Tools that show which session and process a call met. */
export const sessionTools: readonly ScriptedTool[] = [set, get, sessionInfo];

function pick(values: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]));
}
