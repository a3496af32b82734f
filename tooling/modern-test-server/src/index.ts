export { Backend, type ModernServerOptions } from "./backend.ts";
export { RESOURCE_URI } from "./create-modern-server.ts";
export { ModernHttpServer, startModernHttpServer } from "./modern-http-server.ts";
export { type ModernServerCommand, modernStdioServer } from "./modern-stdio-server.ts";
export { type InMemoryServer, serveInMemory } from "./serve-in-memory.ts";
