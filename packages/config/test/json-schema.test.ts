import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { parse as parseJsonc } from "jsonc-parser";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { mcpPoolJsonSchema } from "../src/json-schema.ts";

const shipped: unknown = JSON.parse(readFileSync(new URL("../mcp-pool.schema.json", import.meta.url), "utf8"));
const validate = new Ajv({ strict: false, allErrors: true }).compile(shipped as object);

/** Returns where a document breaks the shipped schema. */
function faultsOf(document: unknown): readonly string[] {
  validate(document);
  return (validate.errors ?? []).map(({ instancePath }) => instancePath);
}

describe("the JSON Schema", () => {
  it("that is shipped is up to date; `npm run schema` in packages/config writes it anew", () => {
    expect(shipped).toEqual(JSON.parse(JSON.stringify(mcpPoolJsonSchema())));
  });

  it("accepts every spelling that files may use", () => {
    const document = parse(`
mcp_config_path: ./.mcp.json
mcpServers: { a: { command: npx, args: ["-y"] }, b: { type: http, url: "https://example.com" } }
settings: { max_total_connections: 100, log_level: info, cleanup_interval: 5m }
pool: { min_connections: 2, max_idle_time: 0.5, connectionTimeoutMs: 30s, health_check: { interval_seconds: 60, check_method: list_tools } }
server_configs:
  a: { pool_config: { max_idle_time_ms: 300 }, tools: { t: { timeout: 3 } }, mock: { faults: [{ kind: hang }] } }
`);
    expect(faultsOf(document)).toEqual([]);
  });

  it("finds what is wrong", () => {
    const document = parse(
      "pool: { max_connections: 0, max_idle_time: 5 parsecs, max_conections: 3 }\nsettings: { log_level: loud }",
    );
    expect(new Set(faultsOf(document))).toEqual(
      new Set(["/pool", "/pool/max_connections", "/pool/max_idle_time", "/settings/log_level"]),
    );
  });

  it.each(readdirSync(new URL("./catalogs/", import.meta.url)))("reads %s without an error of its own", (name) => {
    const text = readFileSync(new URL(`./catalogs/${name}`, import.meta.url), "utf8");
    expect(() => faultsOf(parseJsonc(text))).not.toThrow();
  });

  it("asks for nothing that only code can supply", () => {
    expect(JSON.stringify(shipped)).not.toContain("codeOnly");
  });
});
