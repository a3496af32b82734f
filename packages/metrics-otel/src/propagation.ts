import type { PoolRequest } from "@mcp-pool/core";
import { type Context, propagation } from "@opentelemetry/api";

type Carrier = Record<string, unknown>;

/** Whether somebody has registered a propagator. */
export function hasPropagator(): boolean {
  return propagation.fields().length > 0;
}

/**
 * Hands the trace context on in a copy of `params._meta`, by the keys of the configured propagators, unprefixed. What the
 * caller has written there wins.
 */
export function injectContext(context: Context, request: PoolRequest): void {
  const injected: Carrier = {};
  propagation.inject(context, injected);
  const keys = Object.keys(injected);
  if (keys.length === 0) return;
  const own = request.params?._meta;
  const meta: Readonly<Carrier> = typeof own === "object" && own !== null ? (own as Carrier) : {};
  // A trace state belongs to its parent: that of another trace would be wrong.
  if ("traceparent" in meta) delete injected.tracestate;
  request.params = { ...request.params, _meta: { ...injected, ...meta } };
}
