import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { createTestServer } from "./create-test-server.ts";
import { beginProcess } from "./process/begin-process.ts";
import { ownProcess } from "./process/own-process.ts";
import { ServerEnvironment } from "./process/server-environment.ts";

const GARBAGE = "Starting the server...\n{ this is no message }\n";

const environment = new ServerEnvironment(process.env);
const { startsBadly } = await beginProcess(environment);
const garbage = startsBadly ? environment.garbage : undefined;
// A client that is gone cannot be written to; what happens then is decided where stdin ends.
process.stdout.on("error", () => undefined);
if (garbage !== undefined) process.stdout.write(GARBAGE);
if (garbage === "only") {
  process.stdin.on("data", () => process.stdout.write(GARBAGE));
} else {
  const server = createTestServer({
    ...environment.serverOptions(startsBadly),
    hostProcess: ownProcess(environment.lifetimeMs),
  });
  await server.connect(new StdioServerTransport());
}
if (!environment.flag("TEST_SERVER_STUBBORN")) process.stdin.on("end", () => process.exit(0));
