/** A client of either kind, as far as scripts use it. */
export interface ProgramClient {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string; readonly inputSchema: object }[] }>;
  callTool(params: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }): Promise<unknown>;
  listResources(): Promise<{ readonly resources: readonly { readonly uri: string }[] }>;
  readResource(params: { readonly uri: string }): Promise<unknown>;
  listPrompts(): Promise<{ readonly prompts: readonly { readonly name: string }[] }>;
  getPrompt(params: { readonly name: string }): Promise<unknown>;
  close(): Promise<void>;
}

/** What the suite hands a scenario besides the address. */
export type Context = Readonly<Record<string, unknown>>;

/** What a client does once it is there. */
export type Script = (client: ProgramClient, context: Context) => Promise<void>;

export const listOnly: Script = async (client) => {
  await client.listTools();
};

/** Lists the tools, and calls one. */
export function callTool(name: string, args: Readonly<Record<string, unknown>> = {}): Script {
  return async (client) => {
    await client.listTools();
    await client.callTool({ name, arguments: args });
  };
}

/** Calls tools that need input from the client, one of them while another call is between its rounds. */
export const roundsOfInput: Script = async (client) => {
  await client.listTools();
  const call = (name: string) => client.callTool({ name, arguments: {} });
  await Promise.all([call("test_mrtr_echo_state"), call("test_mrtr_unrelated")]);
  await call("test_mrtr_no_state");
  await call("test_mrtr_no_result_type");
};

/** Makes one request of each kind that a server serves. */
export const visitEverything: Script = async (client) => {
  const { tools } = await client.listTools();
  if (tools[0] !== undefined) await client.callTool({ name: tools[0].name, arguments: {} });
  const { resources } = await client.listResources();
  if (resources[0] !== undefined) await client.readResource({ uri: resources[0].uri });
  const { prompts } = await client.listPrompts();
  if (prompts[0] !== undefined) await client.getPrompt({ name: prompts[0].name });
};

/** Makes the calls that the suite names. */
export const callGivenTools: Script = async (client, { toolCalls }) => {
  await client.listTools();
  for (const { name, arguments: args } of toolCalls as readonly {
    name: string;
    arguments: Record<string, unknown>;
  }[]) {
    await client.callTool({ name, arguments: args });
  }
};

/** Calls every tool that the client lists; some the client ought not to list. */
export const callEveryTool: Script = async (client) => {
  const { tools } = await client.listTools();
  for (const { name } of tools) await client.callTool({ name, arguments: { region: "here" } });
};

/** Sends a tool's schema back as the client has it. */
export const echoSchema: Script = async (client) => {
  const { tools } = await client.listTools();
  const echo = tools.find(({ name }) => name.includes("echo"));
  const focal = tools.find((tool) => tool !== echo);
  if (echo === undefined || focal === undefined) throw new Error("the suite lists no tool with a schema to echo");
  await client.callTool({ name: echo.name, arguments: { schema: focal.inputSchema } });
};
