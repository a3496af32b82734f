import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { Backend } from "./backend.ts";
import { answerFeatures } from "./request-handlers/answer-features.ts";
import { answerProtocol } from "./request-handlers/answer-protocol.ts";
import { answerTools } from "./request-handlers/answer-tools.ts";
import { Session } from "./session.ts";
import type { TestServerOptions } from "./test-server-options.ts";

/** Creates a server for one client, to be connected to any transport of the SDK, such as an `InMemoryTransport`. */
export function createTestServer(options: TestServerOptions = {}): Server {
  return serverOf(new Backend(options));
}

/** Creates one session's server of a backend that several sessions may share. */
export function serverOf(backend: Backend): Server {
  const { name = "test-server", version = "1.0.0" } = backend.options;
  const server = new Server(
    { name, version },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true },
        prompts: {},
        logging: {},
        completions: {},
      },
    },
  );
  const session = new Session(backend, server);
  answerProtocol(session);
  answerTools(session);
  answerFeatures(session);
  const connect = server.connect.bind(server);
  server.connect = (transport) => {
    session.watch(transport);
    return connect(transport);
  };
  server.oninitialized = () => backend.join(session);
  server.onclose = () => backend.leave(session);
  return server;
}
