import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as connector from "@mcp-pool/connector";
import * as http from "@mcp-pool/connector/http";
import * as stdio from "@mcp-pool/connector/stdio";
import * as core from "@mcp-pool/core";
import { judged } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import * as facade from "../src/index.ts";

const PACKAGES = fileURLToPath(new URL("../..", import.meta.url));

interface SourceMap {
  readonly sources: readonly string[];
}

describe("the bundles of the packages", () => {
  it("give out one and the same class, whatever subpath it is imported from", () => {
    expect(judged("not-sent")).toMatchObject({ error: expect.any(core.RequestFailure) });
    expect(http.ConnectFailure).toBe(connector.ConnectFailure);
    expect(stdio.ConnectFailure).toBe(connector.ConnectFailure);
    expect(facade.McpConnectionPool).toBe(core.McpConnectionPool);
  });

  it("leave classes and functions their names", () => {
    for (const [name, value] of Object.entries({ ...facade, ...core })) {
      if (typeof value === "function") expect(value.name).toBe(name);
    }
  });

  it("point to the sources that are published beside them", () => {
    const maps = globSync("*/dist/**/*.js.map", { cwd: PACKAGES });
    expect(maps).not.toEqual([]);
    for (const map of maps) {
      const { sources } = JSON.parse(readFileSync(join(PACKAGES, map), "utf8")) as SourceMap;
      const missing = sources.filter((source) => !existsSync(join(PACKAGES, dirname(map), source)));
      expect([map, missing]).toEqual([map, []]);
    }
  });

  it("hold no file beside their entries and the chunks that these share", () => {
    for (const manifest of globSync("*/package.json", { cwd: PACKAGES })) {
      const folder = join(PACKAGES, dirname(manifest));
      const { exports } = JSON.parse(readFileSync(join(PACKAGES, manifest), "utf8")) as {
        readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
      };
      const entries = Object.values(exports).flatMap((each) => (typeof each === "string" ? [] : [each.default]));
      const files = globSync("dist/**/*.js", { cwd: folder }).filter(
        (file) => !file.startsWith(join("dist", "chunks")),
      );
      expect(files.map((file) => `./${file.replaceAll("\\", "/")}`).sort()).toEqual(entries.sort());
    }
  });
});
