import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { McpManagerConfig } from "../src/index.ts";
import { fileOf, folderOf, refusalOf, refusalOfText } from "./files.ts";

describe("a file that cannot be read is refused when it", () => {
  it("is not there", async () => {
    const path = join(folderOf(), "none.yaml");
    expect((await refusalOf({ path })).issues).toMatchObject([{ file: path, message: "there is no such file" }]);
  });

  it("is a directory", async () => {
    expect((await refusalOf({ path: folderOf() })).message).toMatch(/is a directory, not a file/);
  });

  it.skipIf(process.platform === "win32")("is a pipe, which could be waited for in vain", async () => {
    const path = join(folderOf(), "pipe");
    execFileSync("mkfifo", [path]);
    expect((await refusalOf({ path })).message).toMatch(/is not a regular file/);
  });

  it.skipIf(process.getuid?.() === 0)("may not be read by this process", async () => {
    const path = fileOf("pool: {}");
    chmodSync(path, 0);
    expect((await refusalOf({ path })).message).toMatch(/this process may not read the file/);
  });

  it.runIf(process.getuid?.() === 0)("may not be read by this process, which root may", () => {
    const path = fileOf("pool: {}");
    chmodSync(dirname(path), 0o755);
    chmodSync(path, 0o600);
    const code = `
      const { loadMcpConfig } = await import(${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)});
      process.setuid(65534);
      await loadMcpConfig({ path: ${JSON.stringify(path)}, env: {} }).catch(({ message }) => console.log(message));`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
    expect(said).toMatch(/this process may not read the file/);
  });

  it.each([
    ["is empty", "", /is empty/],
    ["holds only a comment", "# nothing\n", /must be an object .*, not null/],
    ["is not UTF-8", new Uint8Array([0x70, 0xff, 0xfe]), /is not UTF-8 text/],
    ["is UTF-16", new Uint8Array([0xff, 0xfe, 0x70, 0x00]), /is not UTF-8 text/],
    ["is a list", "- a\n- b", /must be an object .*, not a list/],
    ["is a word", "hello", /must be an object/],
    ["has more than one document", "a: 1\n---\nb: 1", /more than one document/],
    ["is larger than any configuration", " ".repeat(50 * 1024 * 1024), /is larger than 524288 bytes/],
    ["is indented with tabs", "pool:\n\tmax_connections: 3", /tabs cannot be used/],
    ["has a key twice", "pool: {}\npool: {}", /this key is there already/],
    ["has a tag that is not known", "pool: !!js/function x", /this tag is not known/],
    ["uses what has no anchor", "pool: *nothing", /alias/],
    ["is broken", "pool: { a: [ }", /:1:\d+: /],
    ["grows when its aliases are followed", bomb(), /uses aliases more than 100 times/],
    ["refers to itself", "pool: &a { retry: *a }", /refers to itself/],
    ["is nested too deeply", "[".repeat(5_000), /: is nested too deeply$/],
    ["merges what is no mapping", "a: &a 1\npool: { <<: *a }", /merge key/],
    ["is no object in a catalog", "mcpServers: [a]", /names of servers as keys, not a list/],
  ])("%s", async (_name, text, message) => {
    expect((await refusalOfText(text)).message).toMatch(message);
  });

  it.each([
    ["is broken JSON", '{ "pool": {,} }', /:1:\d+: /],
    ["has a key twice in JSON", '{ "pool": {},\n  "pool": {} }', /:2:3: this key is there already/],
    ["is nested too deeply in JSON", `${'{"a":'.repeat(20_000)}1`, /nested too deeply|missing/],
    ["has too many levels in JSON", `${"[".repeat(100)}${"]".repeat(100)}`, /nested too deeply/],
  ])("%s", async (_name, text, message) => {
    expect((await refusalOfText(text, "mcp.json")).message).toMatch(message);
  });

  it("but a byte order mark is no fault", async () => {
    const error = await refusalOfText("\ufeffpool:\n  max_connections: 0");
    expect(error.issues).toMatchObject([{ path: "pool.max_connections", line: 2, column: 20 }]);
  });
});

describe("a text that is made to take long", () => {
  const LENGTH = 65_536;
  it.each([
    "[",
    "{",
    "{a: ",
    "- ",
    "? ",
    "&a ",
    "!a ",
    "a: &a [*a] ",
    "<<: ",
    "'",
    '"\\x',
    "# ",
    "|\n ",
    "a:\n ",
    "\n",
    "/*",
    "*a,",
    "-\n",
    "a: b\n",
    "? a\n",
    "0",
  ])("is refused in time: 64 KiB of %j", { timeout: 60_000 }, async (piece) => {
    const text = piece.repeat(Math.floor(LENGTH / piece.length));
    for (const name of ["a.yaml", "a.json"]) {
      const startedAt = performance.now();
      expect((await refusalOfText(text, name)).issues.length).toBeGreaterThan(0);
      expect(performance.now() - startedAt).toBeLessThan(20_000);
    }
  });
});

describe("every problem is told at once", () => {
  it("with path, file, line, column, what is expected, what is found, and a hint", async () => {
    const path = fileOf(`mcpServers:
  both: { command: a, url: "https://example.com" }
  neither: { args: [] }
  transport: { type: carrier-pigeon, url: "https://example.com" }
  typo: { comand: a, command: b }
  numbers: { command: a, env: { PORT: 8080 } }
  ftp: { url: "ftp://example.com" }
  socket: { url: "unix:///tmp/socket" }
  mixed: { command: a, headers: {} }
  text: npx server
settings:
  log_level: loud
  max_total_conections: 7
pool:
  max_connections: "3"
  max_idle_time: 5 parsecs
  sharing: sometimes
  health_check: { check_method: guess }
server_configs:
  nowhere: {}
  typo: { tags: production, priority: high, pool: [] }
poool: {}
`);
    const error = await refusalOf({ path, env: { MCP_ENABLE_MOCKS: "maybe" } });
    expect(error.issues.map(({ path: at, line }) => `${line ?? "-"} ${at}`)).toEqual([
      "2 mcpServers.both",
      "3 mcpServers.neither",
      "4 mcpServers.transport.type",
      "5 mcpServers.typo.comand",
      "6 mcpServers.numbers.env.PORT",
      "7 mcpServers.ftp.url",
      "8 mcpServers.socket.url",
      "9 mcpServers.mixed.headers",
      "10 mcpServers.text",
      "12 settings.log_level",
      "13 settings.max_total_conections",
      "15 pool.max_connections",
      "16 pool.max_idle_time",
      "17 pool.sharing",
      "18 pool.health_check.check_method",
      "20 server_configs.nowhere",
      "21 server_configs.typo.tags",
      "21 server_configs.typo.priority",
      "21 server_configs.typo.pool",
      "22 poool",
      "- MCP_ENABLE_MOCKS",
    ]);
    expect(error.issues[11]).toEqual({
      path: "pool.max_connections",
      file: path,
      line: 15,
      column: 20,
      message: 'must be a whole number of at least 1, not "3"',
      expected: "a whole number of at least 1",
      found: '"3"',
    });
    expect(error.issues[10]).toMatchObject({ hint: 'did you mean "maxTotalConnections"?' });
    expect(error.issues[4]).toMatchObject({ expected: "a string", found: "a number", hint: "put it into quotes" });
    expect(error.message.split("\n")).toHaveLength(1);
    expect(error.message).toContain(`${path}:15:20 pool.max_connections: must be`);
  });
});

describe("names and keys", () => {
  it.each(['"__proto__"', '""', '"a\\nb"', `"${"x".repeat(129)}"`])("a server cannot be called %s", async (name) => {
    expect((await refusalOfText(`{ "mcpServers": { ${name}: { "command": "a" } } }`, "a.json")).message).toMatch(
      /is no name for a server/,
    );
  });

  it("servers may have names that every object has, and odd characters", () => {
    const names = ["constructor", "toString", "hasOwnProperty", "a b/c@1.0", "größer", "{x}", "🦆"];
    const mcpServers = Object.fromEntries(names.map((name) => [name, { command: "a" }]));
    const serverConfigs = Object.fromEntries(names.map((name) => [name, { priority: 7 }]));
    const config = new McpManagerConfig({ mcpServers, serverConfigs }, { env: {} });
    expect([...config.resolve().servers.values()].map(({ name, specific }) => [name, specific.priority])).toEqual(
      names.map((name) => [name, 7]),
    );
  });

  it.each([
    '{ "__proto__": { "polluted": true } }',
    '{ "pool": { "__proto__": { "polluted": true } } }',
    '{ "serverConfigs": { "__proto__": { "priority": 1 } } }',
    '{ "mcpServers": { "a": { "command": "a", "__proto__": { "polluted": true } } } }',
    '{ "pool": { "constructor": { "prototype": { "polluted": true } } } }',
  ])("a prototype cannot be reached: %s", async (text) => {
    expect((await refusalOfText(text, "a.json")).issues.length).toBeGreaterThan(0);
    expect((await refusalOfText(text, "a.yaml")).issues.length).toBeGreaterThan(0);
    expect({}).not.toHaveProperty("polluted");
  });

  it("code may not refer to itself either", () => {
    const pool: Record<string, unknown> = {};
    pool.retry = pool;
    expect(() => new McpManagerConfig({ pool }, { env: {} }).resolve()).toThrow(/pool\.retry: refers to itself/);
  });

  it("code may use no spelling of files", () => {
    const pool = { max_connections: 3, maxIdleTime: 5 } as object;
    expect(() => new McpManagerConfig({ pool }, { env: {} }).resolve()).toThrow(
      /max_connections: is not known \(did you mean "maxConnections"\?\).*maxIdleTime: is not known \(did you mean "maxIdleTimeMs"\?\)/,
    );
  });
});

describe("a secret is never shown", () => {
  it.each([
    'mcpServers: { a: { command: a, env: { KEY: ["s3cret-4f9a8b7c"] } } }',
    "mcpServers: { a: { command: a, env: { s3cret-4f9a8b7c } } }",
    'mcpServers: { a: { url: "s3cret-4f9a8b7c", headers: { a: "s3cret-4f9a8b7c\\nb" } } }',
    'mcpServers: { a: { url: "ftp://u:s3cret-4f9a8b7c@h", type: s3cret-4f9a8b7c } }',
    "mcpServers: { a: { command: a, s3cret-4f9a8b7c: b } }",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what references look like
    'mcpServers: { a: { command: "${s3cret-4f9a8b7c}" } }',
    "mcpServers: { a: s3cret-4f9a8b7c }",
    "pool: { sharing: s3cret-4f9a8b7c }",
    "s3cret-4f9a8b7c",
    "s3cret-4f9a8b7c: [}",
    '"s3cret-4f9a8b7c" : "s3cret-4f9a8b7c" : x',
  ])("where it is out of place: %s", async (text) => {
    const error = await refusalOfText(text);
    expect(`${error.stack} ${JSON.stringify(error.issues)}`).not.toContain("s3cret");
  });
});

/** A document of a few lines that means millions. */
function bomb(): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 9; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(", ")}]`);
  }
  return lines.join("\n");
}
