import { NamedValues } from "../named-values.ts";
import { answerJson, type Exchange } from "./exchange.ts";
import type { FaultTarget } from "./fault-queue.ts";
import type { HttpControls } from "./http-controls.ts";

const MOMENTS = ["before", "after"] as const;
const HTTP_METHODS = ["POST", "GET", "DELETE"] as const;

/** Serves the controls over HTTP, below `/control/`, for tests that run the server in a process of its own. */
export function serveControl(exchange: Exchange, controls: HttpControls): void {
  const action = exchange.url.pathname.slice("/control/".length);
  try {
    const outcome = act(action, new NamedValues(recordOf(exchange.body)), controls);
    if (outcome === undefined) answerJson(exchange, 404, { error: `Unknown control ${action}` });
    else answerJson(exchange, 200, outcome);
  } catch (error) {
    answerJson(exchange, 400, { error: String(error) });
  }
}

function act(action: string, given: NamedValues, controls: HttpControls): object | undefined {
  switch (action) {
    case "stats":
      return controls.stats();
    case "expire-sessions":
      return { expired: controls.expireSessions() };
    case "fail-next":
      controls.failNext({
        status: given.number("status"),
        ...(given.has("retryAfter") && { retryAfter: String(given.any("retryAfter")) }),
        ...targetOf(given),
      });
      return {};
    case "reset-next":
      controls.resetNext({ when: given.oneOf("when", MOMENTS, "before"), ...targetOf(given) });
      return {};
    case "hang-next":
      controls.hangNext({ when: given.oneOf("when", MOMENTS, "before"), ...targetOf(given) });
      return {};
    case "clear-faults":
      controls.clearFaults();
      return {};
    case "drop-streams":
      return {
        dropped: controls.dropStreams({
          which: given.oneOf("which", ["all", "request", "listen"], "all"),
          how: given.oneOf("how", ["destroy", "end"], "destroy"),
        }),
      };
    case "require-bearer-token":
      controls.requireBearerToken(given.has("token") ? given.text("token") : undefined);
      return {};
    default:
      return undefined;
  }
}

function targetOf(given: NamedValues): FaultTarget {
  return {
    count: given.number("count", 1),
    httpMethod: given.oneOf("httpMethod", HTTP_METHODS, "POST"),
    ...(given.has("method") && { method: given.text("method") }),
  };
}

function recordOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === "object" && body !== null ? Object.fromEntries(Object.entries(body)) : {};
}
