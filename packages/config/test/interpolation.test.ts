import { describe, expect, it, vi } from "vitest";
import { type LoadMcpConfigOptions, loadMcpConfig, McpManagerConfig } from "../src/index.ts";
import { fileOf, refusalOf } from "./files.ts";

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what references look like */

/** Completes the arguments of one server. */
async function argsOf(args: readonly string[], options: LoadMcpConfigOptions = {}): Promise<readonly string[]> {
  const catalogPath = fileOf(JSON.stringify({ mcpServers: { a: { command: "a", args } } }), "mcp.json");
  const { servers } = (await loadMcpConfig({ env: {}, ...options, catalogPath })).resolve();
  const connection = servers.get("a")?.connection;
  return connection?.type === "stdio" ? connection.args : [];
}

describe("a reference", () => {
  it("stands for a variable, with or without a scheme, or for a default", async () => {
    const env = { A: "1", EMPTY: "" };
    const args = ["${A}", "${env:A}", "x${A}y${A}", "${B:-2}", "${env:B:-2}", "${B:-}", "${EMPTY:-3}", "$A", "$$"];
    expect(await argsOf(args, { env })).toEqual(["1", "1", "x1y1", "2", "2", "", "", "$A", "$$"]);
  });

  it("is replaced once: what it stands for is not looked at again", async () => {
    expect(await argsOf(["${A}"], { env: { A: "${B}", B: "no" } })).toEqual(["${B}"]);
  });

  it("is never replaced in a key", async () => {
    const overrides = { mcpServers: { a: { command: "a", env: { "${A}": "${A}" } } } };
    const { servers } = new McpManagerConfig(overrides, { env: { A: "1" } }).resolve();
    expect(servers.get("a")?.connection).toMatchObject({ env: { "${A}": "1" } });
  });

  it("is an error without a value, unless told otherwise", async () => {
    await expect(argsOf(["${A}", "${A}"])).rejects.toMatchObject({
      issues: [
        { path: "mcpServers.a.args.0", line: 1, message: "the environment variable A is not set" },
        { path: "mcpServers.a.args.1" },
      ],
    });
    expect(await argsOf(["x${A}"], { interpolate: { unset: "blank" } })).toEqual(["x"]);
    expect(await argsOf(["x${A}"], { interpolate: { unset: "keep" } })).toEqual(["x${A}"]);
  });

  it("cannot stand within another one, and must be readable", async () => {
    await expect(argsOf(["${A:-${B}}"])).rejects.toThrow(/cannot stand within another/);
    await expect(argsOf(["${A-b}"])).rejects.toThrow(/a reference is \$\{NAME\}/);
    expect(await argsOf(["${A"])).toEqual(["${A"]);
  });

  it("cannot reach what every object has", async () => {
    await expect(argsOf(["${constructor}"])).rejects.toThrow(/constructor is not set/);
  });

  it("to an input is resolved by the caller, once, with its definition", async () => {
    const input = vi.fn(async () => "secret");
    const text = { inputs: [{ id: "key", type: "promptString", description: "A key", password: true }], servers: {} };
    const a = { command: "a", args: ["${input:key}"], env: { KEY: "${input:key}" } };
    const catalogPath = fileOf(JSON.stringify({ ...text, servers: { a } }), "mcp.json");
    const config = await loadMcpConfig({ catalogPath, env: {}, interpolate: { input } });
    expect(config.resolve().servers.get("a")?.connection).toMatchObject({ args: ["secret"], env: { KEY: "secret" } });
    expect(input.mock.calls).toEqual([
      ["key", { id: "key", type: "promptString", description: "A key", password: true }],
    ]);
    const refusal = await refusalOf({ catalogPath });
    expect(refusal.issues[0]).toMatchObject({
      message: 'the input "key" (A key) has no value',
      hint: expect.stringMatching("interpolate"),
    });
  });

  it("to another scheme is an error without a resolver, and what the resolver says with one", async () => {
    await expect(argsOf(["${op:vault/item}"])).rejects.toThrow(/the scheme "op" is not known/);
    const resolve = async (scheme: string, name: string) => (name === "gone" ? undefined : `${scheme} of ${name}`);
    expect(await argsOf(["${op:vault/item}"], { interpolate: { resolve } })).toEqual(["op of vault/item"]);
    await expect(argsOf(["${op:gone}"], { interpolate: { resolve } })).rejects.toThrow(/nothing was found .*"op"/);
  });

  it("shows nothing of a resolver's failure, which may hold a secret", async () => {
    const resolve = () => Promise.reject(new Error("s3cret"));
    const error: Error = await argsOf(["${op:x}"], { interpolate: { resolve } }).catch((each) => each);
    expect(error.stack).not.toContain("s3cret");
  });

  it("is left alone where mocks stand in for the servers", async () => {
    const overrides = { mcpServers: { a: { command: "${NOT_SET}" } }, settings: { enableMockServers: true } };
    const config = await loadMcpConfig({ overrides, env: {} });
    expect(config.resolve().servers.get("a")?.connection).toBeUndefined();
  });
});
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: that is what references look like */
