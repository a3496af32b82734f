import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { modernStdioServer } from "@mcp-pool/modern-test-server";
import { stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, test } from "vitest";
import { SLOW } from "./connecting.ts";

const run = promisify(execFile);

/** Runs a program in a process in which some packages are not installed; it prints one line. */
async function without(packages: readonly string[], program: string): Promise<string> {
  const refused = `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (!${JSON.stringify(packages)}.some((name) => specifier === name || specifier.startsWith(name + "/"))) {
          return next(specifier, context);
        }
        throw Object.assign(new Error("Cannot find package " + specifier), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });
  `)}`;
  const args = ["--import", refused, "--input-type=module", "--eval", program];
  const { stdout } = await run(process.execPath, args, { cwd: new URL("..", import.meta.url) });
  return stdout.trim();
}

const V1 = "@modelcontextprotocol/sdk";
const V2 = "@modelcontextprotocol/client";

function program(options: string, imports = ""): string {
  return `
    import { httpConnector, inMemoryConnector, mockConnector, stdioConnector } from "@mcp-pool/connector";
    ${imports}
    const signal = new AbortController().signal;
    try {
      const connector = stdioConnector(${options});
      const connection = await connector.connect({ serverName: "test", signal, timeoutMs: 20_000 });
      const params = { name: "echo", arguments: { message: "hi" } };
      const result = await connection.request("tools/call", params, { signal });
      console.log(connection.era, result.content[0].text);
      await connection.close("idle");
    } catch (error) {
      console.log(error.name, error.message);
    }`;
}

const ON_V1 = program(JSON.stringify(stdioTestServer()));
const ON_V2 = program(
  `{ ...${JSON.stringify(modernStdioServer())}, sdk: sdkV2() }`,
  'import { sdkV2 } from "@mcp-pool/connector/v2";',
);

describe("with one SDK installed", SLOW, () => {
  test("the 1.x SDK does without the other", async () => {
    expect(await without([V2], ON_V1)).toBe("legacy hi");
  });

  test("the 2.x SDK does without the other", async () => {
    expect(await without([V1], ON_V2)).toBe("modern hi");
  });

  test("a connect without its SDK says what to install", async () => {
    expect(await without([V1], ON_V1)).toBe(
      "ConnectFailure @modelcontextprotocol/sdk is not installed: install it, or pass the 2.x SDK with sdk: sdkV2()",
    );
  });

  test("undici is loaded for HTTP alone, and a connect says what that fails with", async () => {
    expect(await without(["undici"], ON_V1)).toBe("legacy hi");
    const overHttp = ON_V1.replace(/stdioConnector\(.*\);/, 'httpConnector({ url: "http://127.0.0.1:9" });');
    expect(await without(["undici"], overHttp)).toBe(
      "ConnectFailure the HTTP client could not be loaded: Cannot find package undici",
    );
  });
});
