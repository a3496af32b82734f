import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadMcpConfig, type ResolvedServerConfig } from "../src/index.ts";
import { fileOf, folderOf, refusalOfText } from "./files.ts";

const env = { API_KEY: "k3y", HOME: "/home/user" };

/** Reads a catalog as it was published, and returns its servers as they are to be run. */
async function serversOf(name: string): Promise<Readonly<Record<string, ResolvedServerConfig | undefined>>> {
  const catalogPath = fileURLToPath(new URL(`./catalogs/${name}`, import.meta.url));
  const config = await loadMcpConfig({ catalogPath, env, interpolate: { input: (id) => `<${id}>` } });
  return Object.fromEntries([...config.resolve().servers].map(([server, { connection }]) => [server, connection]));
}

const http = (url: string, headers: object = {}, sseFallback = true) => ({
  type: "streamable-http",
  url,
  headers,
  sseFallback,
});

describe("a catalog, as it is published for", () => {
  it("Claude Code", async () => {
    expect(await serversOf("claude-code.mcp.json")).toEqual({
      "shared-server": {
        type: "stdio",
        command: "/path/to/server",
        args: ["--config", "/etc/mcp/server.json"],
        env: { CACHE_DIR: "/tmp" },
      },
      "api-server": http("https://api.example.com/mcp", { Authorization: "Bearer k3y" }),
      "legacy-events": { type: "sse", url: "https://mcp.example.com/sse", headers: { "X-API-Key": "k3y" } },
    });
  });

  it("Claude Desktop, beside other settings of that program", async () => {
    const servers = await serversOf("claude-desktop.claude_desktop_config.json");
    expect(Object.keys(servers)).toEqual(["filesystem", "weather", "github"]);
    expect(servers.github).toMatchObject({ command: "docker", env: { GITHUB_PERSONAL_ACCESS_TOKEN: "<YOUR_TOKEN>" } });
  });

  it("VS Code, with comments, inputs and its own variables", async () => {
    const servers = await serversOf("vscode.mcp.jsonc");
    expect(servers.Perplexity).toEqual({
      type: "stdio",
      command: "npx",
      args: ["-y", "server-perplexity-ask", "--region=<region>"],
      env: { PERPLEXITY_API_KEY: "<perplexity-key>", HOME_FOLDER: "/home/user" },
    });
    const workspace = fileURLToPath(new URL("./catalogs", import.meta.url));
    expect(servers.database).toMatchObject({ command: `${workspace}/bin/database-server`, cwd: workspace });
    expect(servers.remote).toEqual(http("https://api.example.com/mcp/", { VERSION: "1.2" }));
    expect(servers.events).toMatchObject({ type: "sse" });
  });

  it("Cursor", async () => {
    expect(await serversOf("cursor.mcp.json")).toMatchObject({
      "server-name": { env: { API_KEY: "k3y" } },
      "remote-server": http("http://localhost:3000/mcp", { API_KEY: "value" }),
      scripts: { command: "python" },
    });
  });

  it("the draft of a common mcp.json", async () => {
    expect(await serversOf("draft.mcp.json")).toMatchObject({
      "local-tools": { type: "stdio", env: { API_KEY: "k3y" } },
      search: http("https://search.example.com/mcp", { "X-Region": "eu" }, false),
      old: { type: "sse" },
    });
  });

  it("Windsurf, where a server may be disabled", async () => {
    const servers = await serversOf("windsurf.mcp_config.json");
    expect(Object.keys(servers)).toEqual(["figma", "slack"]);
    expect(servers.figma).toEqual(http("https://mcp.example.com/figma/mcp", { API_KEY: "Bearer k3y" }));
  });

  it("Cline", async () => {
    expect(await serversOf("cline.cline_mcp_settings.json")).toMatchObject({
      "github.com/example/weather-server": { command: "node" },
      remote: http("https://mcp.example.com/v1", {}, false),
    });
  });

  it("Roo Code", async () => {
    expect(await serversOf("roo-code.mcp.json")).toMatchObject({
      "python-tools": { cwd: "/path/to/project" },
      modern: http("https://your-server-url.com/mcp", { Authorization: "Bearer token" }, false),
      legacy: { type: "sse" },
    });
  });

  it("Gemini CLI, in the midst of its settings", async () => {
    expect(await serversOf("gemini-cli.settings.json")).toMatchObject({
      pythonTools: { env: { DATABASE_URL: "sqlite://", API_KEY: "k3y" } },
      httpServer: http("http://localhost:3000/mcp", { Authorization: "Bearer your-api-token" }, false),
      sseServer: http("http://localhost:8080/sse"),
    });
  });

  it("Copilot CLI", async () => {
    expect(await serversOf("copilot-cli.mcp-config.json")).toMatchObject({
      playwright: { type: "stdio", command: "npx" },
      context: http("https://mcp.example.com/context", { CONTEXT_KEY: "YOUR-KEY" }),
    });
  });

  it("LangChain", async () => {
    expect(await serversOf("langchain.json")).toMatchObject({
      math: { type: "stdio", command: "python" },
      weather: http("http://localhost:8000/mcp", { "X-Custom-Header": "custom-value" }, false),
    });
  });

  it("Visual Studio, with a file of variables", async () => {
    const folder = folderOf();
    cpSync(new URL("./catalogs/visual-studio.mcp.json", import.meta.url), join(folder, "mcp.json"));
    const variables = fileOf('# Variables of the server\nCONNECTION="a b"\nMODE=test\n', "server.env", folder);
    const config = await loadMcpConfig({
      catalogPath: join(folder, "mcp.json"),
      env,
      interpolate: { input: () => "p4t" },
    });
    const { servers } = config.resolve();
    expect(servers.get("tickets")?.connection).toMatchObject({ headers: { Authorization: "Bearer p4t" } });
    expect(servers.get("local")?.connection).toMatchObject({ env: { CONNECTION: "a b", MODE: "test" } });
    expect(config.files).toEqual([join(folder, "mcp.json"), variables]);
  });
});

describe("a catalog", () => {
  it("may be the whole configuration", async () => {
    const path = fileOf('{ "servers": { "a": { "command": "a" } } }', "mcp.json");
    expect((await loadMcpConfig({ path, env: {} })).listConfiguredServers()).toEqual(["a"]);
  });

  it("is found from the file that names it, and gives way to what that file says itself", async () => {
    const folder = folderOf();
    fileOf('{ "mcpServers": { "a": { "command": "old" }, "b": { "command": "b" } } }', "catalogs/.mcp.json", folder);
    const text =
      "mcp_config_path: catalogs/.mcp.json\nmcp_servers: { a: { command: new } }\nserver_configs: { b: { priority: 3 } }";
    const config = await loadMcpConfig({ path: fileOf(text, "mcp-pool.yaml", folder), env: {} });
    const { servers } = config.resolve();
    expect(servers.get("a")?.connection).toMatchObject({ command: "new" });
    expect(servers.get("b")).toMatchObject({ connection: { command: "b" }, specific: { priority: 3 } });
  });

  it("is an error when it names one server twice, under both keys", async () => {
    const text = '{ "mcpServers": { "a": { "command": "a" } },\n  "servers": { "a": { "command": "a" } } }';
    expect((await refusalOfText(text, "mcp.json")).issues).toMatchObject([
      { path: "servers.a", line: 2, message: expect.stringMatching(/there already/) },
    ]);
  });

  it("is an error when it holds no servers at all", async () => {
    const path = fileOf('{ "theme": "dark" }', "settings.json");
    await expect(loadMcpConfig({ catalogPath: path, env: {} })).rejects.toThrow(/neither mcpServers nor servers/);
  });

  it("cannot hide a slip of the hand", async () => {
    const path = fileOf('{ "mcpServers": { "a": { "command": "a", "arg": ["x"] } } }', ".mcp.json");
    await expect(loadMcpConfig({ catalogPath: path, env: {} })).rejects.toThrow(
      /a\.arg: is not known here \(did you mean "args"\?\)/,
    );
  });
});
