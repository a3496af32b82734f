import { z } from "zod";
import { wholeConfigSchema } from "./mcp-pool-config.ts";
import { spellingsOf } from "./spelling.ts";
import { TIME_PATTERN } from "./time-text.ts";

type Json = { readonly [key: string]: unknown };

/**
 * Makes the JSON Schema of a configuration file: the schemas of code, with every spelling that files may use.
 * Editors complete and check files with it: `# yaml-language-server: $schema=…`.
 */
export function mcpPoolJsonSchema(): Json {
  const schema = z.toJSONSchema(wholeConfigSchema, {
    target: "draft-7",
    unrepresentable: "any",
    io: "input",
    reused: "ref",
  }) as Json;
  const { $schema, ...body } = toFileSchema(schema);
  const properties = { $schema: { type: "string" }, ...(body.properties as Json) };
  return {
    $schema,
    $id: "https://unpkg.com/@mcp-pool/config/mcp-pool.schema.json",
    title: "mcp-pool",
    description:
      "A configuration file of mcp-pool, in YAML or JSON. Times without a unit are seconds, or milliseconds in keys that end in Ms or _ms.",
    ...body,
    properties: { ...properties, ...catalogProperties(properties) },
  };
}

/** A file may have the servers and inputs of a VS Code catalog. */
function catalogProperties(properties: Json): Json {
  return { servers: properties.mcpServers, inputs: { type: "array", items: { type: "object", required: ["id"] } } };
}

/** Adds the spellings of files to every block, and takes out what only code can supply. */
function toFileSchema(value: unknown): Json {
  return Object.fromEntries(Object.entries(value as Json).map(([key, child]) => [key, convert(key, child)]));
}

function convert(key: string, value: unknown): unknown {
  if (key === "properties") return spelledProperties(value as Json);
  if (Array.isArray(value)) {
    const kept = value.filter((each) => !isCodeOnly(each));
    return kept.map((each) => (typeof each === "object" && each !== null ? toFileSchema(each) : each));
  }
  return typeof value === "object" && value !== null ? toFileSchema(value) : value;
}

function spelledProperties(properties: Json): Json {
  const spelled = new Map<string, unknown>();
  for (const [key, schema] of Object.entries(properties)) {
    if (isCodeOnly(schema)) continue;
    const own = toFileSchema(schema);
    for (const [name, { unit }] of spellingsOf(key)) {
      const isTime = unit !== undefined;
      spelled.set(name, isTime ? { anyOf: [inUnit(own, unit), { type: "string", pattern: TIME_PATTERN }] } : own);
    }
  }
  return Object.fromEntries(spelled);
}

function inUnit(schema: Json, unit: "milliseconds" | "seconds"): Json {
  if (unit === "milliseconds" || typeof schema.minimum !== "number") return schema;
  return { ...schema, minimum: schema.minimum / 1_000 };
}

function isCodeOnly(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && "codeOnly" in schema;
}
