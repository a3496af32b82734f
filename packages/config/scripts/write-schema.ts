import { writeFileSync } from "node:fs";
import { mcpPoolJsonSchema } from "../src/json-schema.ts";

/** Writes the JSON Schema that is shipped; a test fails while it is out of date. */
writeFileSync(
  new URL("../mcp-pool.schema.json", import.meta.url),
  `${JSON.stringify(mcpPoolJsonSchema(), undefined, 2)}\n`,
);
