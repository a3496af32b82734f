import type { PoolEvent, PoolRequest, Request } from "@mcp-pool/core";
import { type Attributes, context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import type { ConnectionShapes } from "./connection-shapes.ts";
import { ABORTED, type OperationError, requestError, TOOL_ERROR } from "./error-type.ts";
import { ATTRIBUTES } from "./names.ts";
import { injectContext } from "./propagation.ts";
import { targetAttributes } from "./server-series.ts";

/** What the spans of one pool are made with. */
export interface SpansSetup {
  readonly tracer: Tracer;
  readonly shapes: ConnectionShapes;
  /** Attributes of the pool. */
  readonly attributes: Attributes;
  readonly isPropagated: boolean;
}

/** Gives each request a span, with its further tries as events. */
export class Spans {
  readonly #setup: SpansSetup;
  readonly #own = new WeakSet<Span>();

  constructor(setup: SpansSetup) {
    this.#setup = setup;
  }

  wrap(next: Request): Request {
    return (request) => {
      const span = this.#start(request);
      const active = trace.setSpan(context.active(), span);
      if (this.#setup.isPropagated) injectContext(active, request);
      return context.with(active, next, undefined, request).then(
        (result) => {
          const isToolError =
            request.method === "tools/call" && (result as { isError?: unknown } | undefined)?.isError === true;
          this.#end(span, request, isToolError ? TOOL_ERROR : undefined);
          return result;
        },
        (error: unknown) => {
          const { signal } = request.options;
          const isAborted = signal?.aborted === true && error === signal.reason;
          const failure = isAborted ? { type: ABORTED, rpcStatus: undefined } : requestError(error);
          this.#end(span, request, failure, error instanceof Error && !isAborted ? error.message : undefined);
          throw error;
        },
      );
    };
  }

  /** A retry is told in the context of its request. */
  onRetried({ attempt, delayMs, error }: Extract<PoolEvent, { readonly type: "request-retried" }>): void {
    const span = trace.getActiveSpan();
    if (span === undefined || !this.#own.has(span)) return;
    const { type } = requestError(error);
    span.addEvent("mcp_pool.request.retried", {
      "mcp_pool.request.attempt": attempt,
      "mcp_pool.request.delay": delayMs / 1_000,
      [ATTRIBUTES.errorType]: type,
    });
  }

  #start({ method, params }: PoolRequest): Span {
    const { tracer, attributes } = this.#setup;
    const target = typeof params?.name === "string" ? params.name : undefined;
    const about = targetAttributes(method, target, (name) => name);
    const uri = method.startsWith("resources/") && typeof params?.uri === "string" ? params.uri : undefined;
    const isNamed = ATTRIBUTES.toolName in about || ATTRIBUTES.promptName in about;
    const span = tracer.startSpan(isNamed ? `${method} ${target}` : method, {
      kind: SpanKind.CLIENT,
      attributes: {
        ...attributes,
        [ATTRIBUTES.method]: method,
        ...about,
        ...(uri !== undefined && { [ATTRIBUTES.resourceUri]: uri }),
      },
    });
    this.#own.add(span);
    return span;
  }

  #end(span: Span, { connectionId }: PoolRequest, failure: OperationError | undefined, message?: string): void {
    if (connectionId !== undefined) span.setAttributes(this.#setup.shapes.of(connectionId).operation);
    if (failure !== undefined) {
      const { type, rpcStatus } = failure;
      span.setAttribute(ATTRIBUTES.errorType, type);
      if (rpcStatus !== undefined) span.setAttribute(ATTRIBUTES.rpcStatus, rpcStatus);
      span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
    }
    span.end();
  }
}
