import { describe, expect, it } from "vitest";
import { createPooledMcpTools } from "../src/index.ts";
import { modelToolName } from "../src/model-tool-name.ts";
import { scriptedServers, tool } from "./scripted-servers.ts";

const NAMES = ["read", "_read", "read__file", "a.b", "a_b", "a/b", "a b", "lies-ö", "工具", "", "7up", "x".repeat(200)];
const PREFIXES = ["", "a", "a_", "a__b", "_a", "my.server", "my_server", "工", "9", "y".repeat(60), "y".repeat(61)];

describe("names of tools for models", () => {
  it("keep what is plain", () => {
    expect(modelToolName("files", "read-file")).toBe("files__read-file");
    expect(modelToolName("", "read_file")).toBe("read_file");
    expect(modelToolName("a", "_b")).toBe("a___b");
  });

  it("fit the APIs of models, whatever the server and the tool are called", () => {
    for (const prefix of PREFIXES) {
      for (const name of NAMES) expect(modelToolName(prefix, name)).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/);
    }
  });

  it("are never shared by two pairs of server and tool", () => {
    const pairs = PREFIXES.filter((prefix) => prefix !== "").flatMap((prefix) =>
      NAMES.flatMap((name) => [name, `b__${name}`, `_${name}`].map((each) => [prefix, each] as const)),
    );
    const distinct = new Set(pairs.map((pair) => JSON.stringify(pair)));
    expect(new Set(pairs.map(([prefix, name]) => modelToolName(prefix, name))).size).toBe(distinct.size);
  });

  it("tell apart long names that begin alike, and stay what they are", () => {
    const [one, other] = [`${"x".repeat(100)}1`, `${"x".repeat(100)}2`];
    expect(modelToolName("a", one)).not.toBe(modelToolName("a", other));
    expect(modelToolName("a", one)).toBe(modelToolName("a", one));
    expect(modelToolName("a", one)).toHaveLength(64);
  });

  it("lead back to the tool", async () => {
    const { manager, calls } = scriptedServers({
      "my.server": NAMES.filter((name) => name !== "").map((name) => tool(name)),
    });
    const tools = createPooledMcpTools("my.server", { manager });
    for (const { name, toolName } of await tools.tools()) {
      await tools.callTool(name);
      expect(calls("my.server").at(-1)).toMatchObject({ name: toolName });
    }
  });
});
