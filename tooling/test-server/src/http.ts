import { fstatSync } from "node:fs";
import { startHttpTestServer } from "./http/start-http-test-server.ts";
import { beginProcess } from "./process/begin-process.ts";
import { ownProcess } from "./process/own-process.ts";
import { ServerEnvironment } from "./process/server-environment.ts";

const environment = new ServerEnvironment(process.env);
const { startsBadly } = await beginProcess(environment);
// A parent that holds our stdin takes us along when it ends; one that gave us none must kill us.
const stdin = fstatSync(0);
if (stdin.isFIFO() || stdin.isSocket()) process.stdin.resume().on("end", () => process.exit(0));
const server = await startHttpTestServer({
  ...environment.serverOptions(startsBadly),
  ...environment.httpOptions(),
  hostProcess: ownProcess(environment.lifetimeMs),
});
process.stdout.write(
  `${JSON.stringify({ url: server.url, sseUrl: server.sseUrl, port: server.port, pid: process.pid })}\n`,
);
