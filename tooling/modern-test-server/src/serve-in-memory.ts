import type { Transport } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Backend } from "./backend.ts";
import { createModernServer } from "./create-modern-server.ts";

/** The server's side of a connection within one process. */
export interface InMemoryServer {
  connect(transport: Transport): Promise<void>;
  close(): Promise<void>;
}

/** Makes the server of one connection within this process; it speaks both eras, as over stdio. */
export function serveInMemory(backend: Backend): InMemoryServer {
  let end: (() => Promise<void>) | undefined;
  return {
    async connect(transport) {
      const handle = serveStdio(() => createModernServer(backend), { transport });
      end = () => handle.close();
    },
    async close() {
      await end?.();
    },
  };
}
