import type { Connector, McpConnection, ServerNotification } from "@mcp-pool/core";
import { type ModernHttpServer, type ModernServerOptions, startModernHttpServer } from "@mcp-pool/modern-test-server";
import { onTestFinished } from "vitest";
import { httpConnector } from "../src/index.ts";
import { type SdkV2Options, sdkV2 } from "../src/v2/index.ts";
import { open } from "./connecting.ts";

/** A running server of the modern era, and a connector to it. */
export interface Modern {
  readonly server: ModernHttpServer;
  readonly connector: Connector;
}

/** Starts a server of the modern era, which is stopped with the test. Breaks are mended at once, so that tests need not wait. */
export async function modern(sdkOptions: SdkV2Options = {}, serverOptions: ModernServerOptions = {}): Promise<Modern> {
  const server = await startModernHttpServer(serverOptions);
  onTestFinished(() => server.stop());
  const sdk = sdkV2({ listenBackoff: { initialDelayMs: 1, maxDelayMs: 20 }, ...sdkOptions });
  return { server, connector: httpConnector({ url: server.url, sdk }) };
}

/** Starts such a server, and opens a connection. */
export async function openModern(
  sdkOptions?: SdkV2Options,
  serverOptions?: ModernServerOptions,
): Promise<Modern & { readonly connection: McpConnection }> {
  const started = await modern(sdkOptions, serverOptions);
  return { ...started, connection: await open(started.connector) };
}

/** Notes the notifications of one method. */
export function heard(connection: McpConnection, method: string): ServerNotification[] {
  const notifications: ServerNotification[] = [];
  connection.onNotification((notification) => {
    if (notification.method === method) notifications.push(notification);
  });
  return notifications;
}
