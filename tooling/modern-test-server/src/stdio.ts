import { writeFileSync } from "node:fs";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { Backend } from "./backend.ts";
import { createModernServer } from "./create-modern-server.ts";

// The names of these variables are known to `modernStdioServer`.
const { MODERN_ONLY, SPAWN_MARK } = process.env;
if (SPAWN_MARK !== undefined) writeFileSync(`${SPAWN_MARK}.${process.pid}`, "");
const backend = new Backend({ modernOnly: MODERN_ONLY === "1" });
serveStdio(() => createModernServer(backend), { legacy: backend.options.modernOnly ? "reject" : "serve" });
