import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { McpConfigurationError } from "@mcp-pool/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { loadMcpConfig, McpManagerConfig } from "../src/index.ts";
import { folderOf } from "./files.ts";

/** More or fewer of them by `MCP_POOL_FUZZ_RUNS`. */
const RUNS = Number(process.env.MCP_POOL_FUZZ_RUNS ?? 20_000);
const SECRET = "sk-live-4f9a8b7c6d5e";
const CATALOGS = new URL("./catalogs/", import.meta.url);

const YAML = `
# yaml-language-server: $schema=./mcp-pool.schema.json
mcpServers:
  zen-server: { command: npx, args: ["-y", "zen-mcp"], env: { TOKEN: "${SECRET}", OTHER: "\${ZEN_TOKEN:-none}" } }
  web:
    type: http
    url: https://user:${SECRET}@example.com/mcp?key=${SECRET}
    headers: &headers
      Authorization: Bearer ${SECRET}
  again: { url: "https://example.com", headers: *headers }
settings: { max_total_connections: 100, log_level: info }
pool: &pool
  min_connections: 2
  max_connections: 10
  retry: { max_attempts: 3, initial_delay: 1s }
  health_check: { interval_seconds: 60, check_method: { tool: ping, arguments: { a: 1 } } }
  circuit_breaker: { failure_threshold: 5, recovery_timeout: 60 }
server_configs:
  zen-server:
    priority: 10
    tags: [production, critical]
    pool: { <<: *pool, max_idle_time: 300 }
    tools: { write: { idempotent: false, timeout: 5s } }
    mock: { tools: { echo: { result: { a: [1, 2] } } }, faults: [{ kind: hang, every: 3 }] }
`;

const JSONC = `{
  // a comment
  "servers": {
    "a": { "type": "stdio", "command": "npx", "args": ["-y", "x"], "env": { "KEY": "${SECRET}" } },
    "b": { "type": "http", "url": "https://example.com/mcp", "headers": { "Authorization": "Bearer ${SECRET}" } },
  },
  "inputs": [{ "type": "promptString", "id": "key", "description": "A key", "password": true }],
  "pool": { "maxConnections": 3, "maxIdleTimeMs": 5000 },
  "serverConfigs": { "a": { "priority": 1 } }
}`;

const SEEDS = [YAML, JSONC, ...readdirSync(CATALOGS).map((name) => readFileSync(new URL(name, CATALOGS), "utf8"))];

/** What mutations put in: everything that means something to one of the formats, or to JavaScript. */
/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what references look like */
const PIECES = [
  ..."{}[]:,\"'#&*!|>%@`-?~\t\n\0 ",
  ...[
    "  ",
    ": ",
    "- ",
    "<<: *pool",
    "*headers",
    "&a ",
    "__proto__",
    "constructor",
    "null",
    "~",
    ".inf",
    ".nan",
    "1e999",
  ],
  ...[
    "-1",
    "0x10",
    "true",
    '""',
    "${",
    "${A}",
    "${input:key}",
    "${op:x}",
    "${A:-${B}}",
    "/*",
    "//",
    "\u2028",
    "\ufeff",
    "\ud800",
  ],
  ...[
    "!!binary a",
    "!!js/function x",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "[".repeat(2_000),
    "{a: ".repeat(300),
    "😀",
    "5m",
    "command: x",
  ],
];
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: that is what references look like */

interface Mutation {
  readonly kind: "insert" | "delete" | "replace" | "copy" | "swap lines" | "cut";
  readonly at: number;
  readonly length: number;
  readonly piece: string;
  readonly to: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("insert", "insert", "delete", "replace", "copy", "swap lines", "cut"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 12 }),
  piece: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6 })),
  to: fc.double({ min: 0, max: 1, noNaN: true }),
});

function mutate(text: string, { kind, at, length, piece, to }: Mutation): string {
  const start = Math.floor(at * text.length);
  const end = start + length;
  switch (kind) {
    case "insert":
      return text.slice(0, start) + piece + text.slice(start);
    case "delete":
      return text.slice(0, start) + text.slice(end);
    case "replace":
      return text.slice(0, start) + piece + text.slice(end);
    case "copy": {
      const target = Math.floor(to * text.length);
      return text.slice(0, target) + text.slice(start, end * 2) + text.slice(target);
    }
    case "swap lines": {
      const lines = text.split("\n");
      const [one, other] = [Math.floor(at * lines.length), Math.floor(to * lines.length)];
      [lines[one], lines[other]] = [lines[other] ?? "", lines[one] ?? ""];
      return lines.join("\n");
    }
    case "cut":
      return text.slice(0, start);
  }
}

it(`${RUNS} mutated documents end in a configuration or in one error, and never show a secret`, {
  timeout: 300_000,
}, async () => {
  const folder = folderOf();
  const outcomes = { good: 0, refused: 0, slowestMs: 0 };
  writeFileSync(join(folder, "server.env"), `TOKEN=${SECRET}`);
  const options = {
    env: { ZEN_TOKEN: SECRET, API_KEY: SECRET, HOME: "/home/user" },
    interpolate: { input: () => SECRET },
  };
  const document = fc.record({
    seed: fc.constantFrom(...SEEDS),
    mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
    name: fc.constantFrom("a.yaml", "a.json", "a.conf"),
    asCatalog: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(document, async ({ seed, mutations, name, asCatalog }) => {
      const path = join(folder, name);
      writeFileSync(path, mutations.reduce(mutate, seed));
      const startedAt = performance.now();
      try {
        const config = await loadMcpConfig({ ...options, ...(asCatalog ? { catalogPath: path } : { path }) });
        expect(config).toBeInstanceOf(McpManagerConfig);
        outcomes.good++;
      } catch (error) {
        if (!(error instanceof McpConfigurationError)) throw error;
        expect(error.issues.length).toBeGreaterThan(0);
        expect(`${error.stack} ${JSON.stringify(error.issues)}`).not.toContain(SECRET);
        outcomes.refused++;
      }
      outcomes.slowestMs = Math.max(outcomes.slowestMs, performance.now() - startedAt);
    }),
    { numRuns: RUNS },
  );
  console.info(`${outcomes.good} valid, ${outcomes.refused} refused, slowest ${Math.round(outcomes.slowestMs)} ms`);
  expect(outcomes.refused).toBeGreaterThan(0);
  expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("polluted");
});
