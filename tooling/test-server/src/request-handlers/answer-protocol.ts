import {
  CancelledNotificationSchema,
  InitializeRequestSchema,
  PingRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { Session } from "../session.ts";
import { untilCancelled } from "../tools/waiting-tools.ts";

/** Replaces the SDK's own answers to the protocol's messages where the options ask for it. */
export function answerProtocol({ server, backend }: Session): void {
  const { hangOnInitialize = false, ping = "answer", ignoreCancellation = false } = backend.options;
  if (hangOnInitialize)
    server.setRequestHandler(InitializeRequestSchema, (_request, extra) => untilCancelled(extra.signal));
  if (ping === "ignore") server.setRequestHandler(PingRequestSchema, (_request, extra) => untilCancelled(extra.signal));
  if (ping === "refuse") server.removeRequestHandler("ping");
  if (ignoreCancellation) server.setNotificationHandler(CancelledNotificationSchema, () => undefined);
}
