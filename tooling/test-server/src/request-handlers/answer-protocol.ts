import {
  CancelledNotificationSchema,
  InitializeRequestSchema,
  PingRequestSchema,
  RootsListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { Session } from "../session.ts";
import { untilCancelled } from "../tools/waiting-tools.ts";

/** Replaces the SDK's own answers to the protocol's messages where the options ask for it. */
export function answerProtocol(session: Session): void {
  const { server, backend } = session;
  const { hangOnInitialize = false, ping = "answer", ignoreCancellation = false } = backend.options;
  if (hangOnInitialize)
    server.setRequestHandler(InitializeRequestSchema, (_request, extra) => untilCancelled(extra.signal));
  if (ping === "ignore") server.setRequestHandler(PingRequestSchema, (_request, extra) => untilCancelled(extra.signal));
  if (ping === "refuse") server.removeRequestHandler("ping");
  // What the server knows of its client's roots is a value of the session.
  server.setNotificationHandler(RootsListChangedNotificationSchema, async () => {
    const { roots } = await server.listRoots();
    session.values.set("roots", roots.map(({ uri }) => uri).join(" "));
  });
  if (ignoreCancellation) server.setNotificationHandler(CancelledNotificationSchema, () => undefined);
}
