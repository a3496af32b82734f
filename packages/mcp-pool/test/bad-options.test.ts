import { expect, it } from "vitest";
import { type CreateMcpPoolOptions, createMcpPool } from "../src/index.ts";

const CONFIG = { mcpServers: { a: { command: "never-started" } } };

it.each<readonly [what: string, options: unknown, problem: RegExp]>([
  ["no object", null, /options: must be an object/],
  ["a misspelt name", { credentails: () => ({}) }, /options\.credentails: is not known; there are .*credentials/],
  ["a name that every object has", JSON.parse('{"toString": 1}'), /options\.toString: is not known/],
  [
    "one plugin in place of a list",
    { plugins: { name: "x", install: () => ({}) } },
    /options\.plugins: must be a list/,
  ],
  ["what is no plugin", { plugins: [{}] }, /options\.plugins: must be a list/],
  ["credentials that are no function", { credentials: { headers: {} } }, /options\.credentials: must be a function/],
  [
    "a provider in place of a function",
    { authProvider: { tokens: () => undefined } },
    /options\.authProvider: must be/,
  ],
  ["a connector in place of a function", { connector: { connect: () => undefined } }, /options\.connector: must be/],
  ["half a logger", { logger: { info: () => undefined } }, /options\.logger: must be an object with debug\(\)/],
  ["variables that are a text", { env: "A=b" }, /options\.env: must be an object/],
  ["several at once", { env: 1, interpolate: 2 }, /options\.env: .*options\.interpolate: /],
])("createMcpPool refuses %s", async (_what, options, problem) => {
  const made = createMcpPool(CONFIG, options as CreateMcpPoolOptions);
  await expect(made).rejects.toMatchObject({
    code: "INVALID_CONFIGURATION",
    message: expect.stringMatching(problem),
  });
});

it("createMcpPool takes options that are there, but undefined", async () => {
  const manager = await createMcpPool(CONFIG, { logger: undefined, plugins: undefined, env: undefined });
  await manager.close();
  expect(manager.servers()).toEqual(["a"]);
});
