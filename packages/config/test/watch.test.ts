import { execFile } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { McpConfigurationError } from "@mcp-pool/core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type McpManagerConfig, type WatchMcpConfigOptions, watchMcpConfig } from "../src/index.ts";
import { fileOf, folderOf } from "./files.ts";

const SLOW = { timeout: 30_000 };

function text(...servers: readonly string[]): string {
  return `mcpServers: { ${servers.map((name) => `${name}: { command: ${name} }`).join(", ")} }\n`;
}

/** Watches a file with a manager that only notes which servers it was told of. */
async function watched(path: string, options: WatchMcpConfigOptions = {}) {
  const seen: string[] = [];
  const errors: unknown[] = [];
  const reload = vi.fn(async (config: McpManagerConfig) => void seen.push(config.listConfiguredServers().join()));
  const onError = (error: unknown) => void errors.push(error);
  const watcher = await watchMcpConfig(path, { reload }, { env: {}, quietMs: 60, onError, ...options });
  onTestFinished(() => watcher.close());
  const until = (servers: string) => vi.waitFor(() => expect(seen.at(-1)).toBe(servers), { timeout: 10_000 });
  const failed = () => vi.waitFor(() => expect(errors.length).toBeGreaterThan(0), { timeout: 10_000 });
  return { watcher, seen, errors, until, failed, reload };
}

describe("a watched file", SLOW, () => {
  it("is put in force at once, and whenever it changes", async () => {
    const path = fileOf(text("a"));
    const onReload = vi.fn();
    const { seen, until, watcher } = await watched(path, { onReload });
    expect(seen).toEqual(["a"]);
    writeFileSync(path, text("a", "b"));
    await until("a,b");
    expect(watcher.config.listConfiguredServers()).toEqual(["a", "b"]);
    expect(onReload).toHaveBeenCalledOnce();
    writeFileSync(path, text("b"));
    await until("b");
  });

  it("may be replaced, as editors do that write a new file and rename it", async () => {
    const path = fileOf(text("a"));
    const { until } = await watched(path);
    for (const name of ["b", "c", "d"]) {
      writeFileSync(`${path}.tmp`, text(name));
      renameSync(`${path}.tmp`, path);
      await until(name);
    }
  });

  it("may be removed for a moment, as other editors do", async () => {
    const path = fileOf(text("a"));
    const { until, failed, watcher } = await watched(path);
    rmSync(path);
    await failed();
    expect(watcher.config.listConfiguredServers()).toEqual(["a"]);
    writeFileSync(path, text("b"));
    await until("b");
  });

  it("that is broken or empty changes nothing, and is reported", async () => {
    const path = fileOf(text("a"));
    const { seen, until, failed, errors } = await watched(path);
    writeFileSync(path, "mcpServers: { a: { command");
    await failed();
    expect(errors[0]).toBeInstanceOf(McpConfigurationError);
    writeFileSync(path, "");
    await vi.waitFor(() => expect(String(errors.at(-1))).toMatch(/is empty/), { timeout: 10_000 });
    expect(seen).toEqual(["a"]);
    writeFileSync(path, text("b"));
    await until("b");
  });

  it("that is written in pieces is read when it is whole", async () => {
    const path = fileOf(text("a"));
    const { until, errors } = await watched(path, { quietMs: 400 });
    const whole = text("x", "y", "z");
    for (let end = 8; end <= whole.length + 8; end += 8) {
      writeFileSync(path, whole.slice(0, end));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await until("x,y,z");
    expect(errors).toEqual([]);
  });

  it("is watched with its catalog, also one that is named later", async () => {
    const folder = folderOf();
    const path = fileOf(text("a"), "mcp-pool.yaml", folder);
    const { until } = await watched(path);
    const catalog = fileOf('{ "servers": { "c": { "command": "c" } } }', "deep/mcp.json", folder);
    writeFileSync(path, `mcp_config_path: deep/mcp.json\n${text("a")}`);
    await until("c,a");
    writeFileSync(catalog, '{ "servers": { "d": { "command": "d" } } }');
    await until("d,a");
  });

  it.each([
    ["a plain name", "server.env"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what references look like
    ["a variable in its name", "${STAGE}.env"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what references look like
    ["a predefined variable in its name", "${workspaceFolder}/server.env"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what references look like
    ["an input in its name", "${input:name}.env"],
  ])("is watched with its files of variables: one with %s", async (_what, envFile) => {
    const path = fileOf(`mcpServers: { a: { command: a, envFile: ${JSON.stringify(envFile)} } }`);
    const variables = fileOf("KEY=one", "server.env", dirname(path));
    const tokens: unknown[] = [];
    const onReload = (config: McpManagerConfig) => {
      const connection = config.resolve().servers.get("a")?.connection;
      tokens.push(connection?.type === "stdio" && connection.env.KEY);
    };
    await watched(path, { onReload, env: { STAGE: "server" }, interpolate: { input: () => "server" } });
    writeFileSync(variables, "KEY=two");
    await vi.waitFor(() => expect(tokens).toEqual(["two"]), { timeout: 10_000 });
  });

  it("may be a link into a folder that is swapped, as in Kubernetes", async () => {
    const folder = folderOf();
    for (const [version, name] of [
      ["v1", "a"],
      ["v2", "b"],
    ] as const) {
      mkdirSync(join(folder, version));
      fileOf(text(name), `${version}/mcp-pool.yaml`, folder);
    }
    symlinkSync("v1", join(folder, "..data"));
    const path = join(folder, "mcp-pool.yaml");
    symlinkSync("..data/mcp-pool.yaml", path);
    const { until } = await watched(path);
    symlinkSync("v2", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    await until("b");
  });

  it("may be watched by polling", async () => {
    const path = fileOf(text("a"));
    const { seen } = await watched(path, { usePolling: true });
    let times = 0;
    // A change in the very moment in which the polling begins may be taken for the state at the start.
    const change = () => {
      writeFileSync(path, text(`polled-${times++}`));
      expect(seen.at(-1)).toMatch(/^polled/);
    };
    await vi.waitFor(change, { timeout: 20_000, interval: 500 });
  });

  it("is left alone after close", async () => {
    const path = fileOf(text("a"));
    const { watcher, reload } = await watched(path);
    await watcher.close();
    await watcher.close();
    writeFileSync(path, text("b"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(reload).toHaveBeenCalledOnce();
  });

  it("must be good at the start", async () => {
    const reload = vi.fn();
    await expect(watchMcpConfig(fileOf("pool: 7"), { reload }, { env: {} })).rejects.toBeInstanceOf(
      McpConfigurationError,
    );
    expect(reload).not.toHaveBeenCalled();
  });

  it("that the manager refuses stays out of force", async () => {
    const path = fileOf(text("a"));
    const { watcher, reload, failed } = await watched(path);
    reload.mockRejectedValueOnce(new Error("no"));
    writeFileSync(path, text("b"));
    await failed();
    expect(watcher.config.listConfiguredServers()).toEqual(["a"]);
  });

  it("may change back while the servers of the change before still drain", async () => {
    const path = fileOf(text("a"));
    const { reload, seen } = await watched(path);
    reload.mockImplementationOnce(() => new Promise(() => {}));
    writeFileSync(path, text("b"));
    await vi.waitFor(() => expect(reload).toHaveBeenCalledTimes(2), { timeout: 10_000 });
    writeFileSync(path, text("a"));
    await vi.waitFor(() => expect(reload).toHaveBeenCalledTimes(3), { timeout: 10_000 });
    expect(seen).toEqual(["a", "a"]);
  });

  it.each([false, true])("keeps no program running that has come to its end, with polling %s", async (usePolling) => {
    const program = `
      import { watchMcpConfig } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      await watchMcpConfig(process.argv[1], { reload: async () => console.log("in force") }, { usePolling: ${usePolling} });
    `;
    const args = ["--input-type=module", "-e", program, fileOf(text("a"))];
    const ended = promisify(execFile)(process.execPath, args, { timeout: 25_000, killSignal: "SIGKILL" });
    expect((await ended).stdout).toBe("in force\n");
  });
});
