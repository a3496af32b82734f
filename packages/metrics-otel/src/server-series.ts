import type { Attributes } from "@opentelemetry/api";
import type { BoundedNames } from "./bounded-names.ts";
import type { ConnectionShape } from "./connection-shapes.ts";
import type { OperationError } from "./error-type.ts";
import type { Observe } from "./metric-sink.ts";
import { ATTRIBUTES } from "./names.ts";
import { ObservedServer } from "./observed-server.ts";

/** What the series of a server need to know. */
export interface ServerSeriesSetup {
  /** Attributes of every metric of our own. */
  readonly attributes: Attributes;
  /** Attributes of the metrics of the MCP conventions. */
  readonly standardAttributes: Attributes;
  readonly methods: BoundedNames;
  readonly errorTypes: BoundedNames;
  /** By which name a tool or a prompt goes. */
  readonly targetName: (target: string, method: string) => string;
}

/** The attributes of one kind of operation: when it succeeds, and for each way it fails. */
class OperationSeries {
  readonly succeeded: Attributes;
  readonly #failed = new Map<string, Attributes>();

  constructor(succeeded: Attributes) {
    this.succeeded = succeeded;
  }

  failed({ type, rpcStatus }: OperationError, errorTypes: BoundedNames): Attributes {
    let attributes = this.#failed.get(type);
    if (attributes === undefined) {
      const bounded = errorTypes.of(type);
      const known = this.#failed.get(bounded);
      if (known !== undefined) return known;
      attributes = {
        ...this.succeeded,
        [ATTRIBUTES.errorType]: bounded,
        ...(rpcStatus !== undefined && bounded === type && { [ATTRIBUTES.rpcStatus]: rpcStatus }),
      };
      this.#failed.set(bounded, attributes);
    }
    return attributes;
  }
}

/** The operations of the connections of one shape. */
class ShapeSeries {
  /** By method and name, as attributes tell them; several names may go by one, such as all those beyond the limit. */
  readonly byAttributes = new Map<string, OperationSeries>();
  /** By method and name, as requests tell them: found without making a string of both. */
  readonly byName = new Map<string, Map<string | undefined, OperationSeries>>();
  #remembered = 0;

  remember(method: string, target: string | undefined, series: OperationSeries): void {
    if (this.#remembered >= MAX_REMEMBERED) return;
    this.#remembered++;
    const byTarget = this.byName.get(method);
    if (byTarget === undefined) this.byName.set(method, new Map([[target, series]]));
    else byTarget.set(target, series);
  }
}

/** Builds the attributes of each series of a server once, since recording with a new object each time costs more. */
export class ServerSeries {
  readonly #setup: ServerSeriesSetup;
  readonly #operations = new Map<ConnectionShape, ShapeSeries>();
  readonly #withOne = new Map<string, Map<string, Attributes>>();
  readonly observed: ObservedServer;

  constructor(setup: ServerSeriesSetup) {
    this.#setup = setup;
    this.observed = new ObservedServer(setup.attributes);
  }

  get attributes(): Attributes {
    return this.#setup.attributes;
  }

  /** Collections since the last pool of the server was closed. */
  get farewells(): number {
    return this.observed.farewells;
  }

  observe(observe: Observe): void {
    this.observed.observe(observe);
  }

  /** Attributes of one attempt of a request. */
  operation(
    shape: ConnectionShape,
    method: string,
    target: string | undefined,
    error: OperationError | undefined,
  ): Attributes {
    const { errorTypes } = this.#setup;
    const series = this.#operationSeries(shape, method, target);
    return error === undefined ? series.succeeded : series.failed(error, errorTypes);
  }

  /** Attributes of a session, which has ended in an error or not. */
  session(shape: ConnectionShape, errorType: string | undefined): Attributes {
    const { standardAttributes } = this.#setup;
    const error = errorType === undefined ? {} : { [ATTRIBUTES.errorType]: errorType };
    return { ...standardAttributes, ...shape.session, ...error };
  }

  /** Attributes of the server with one more, whose values are few. */
  with(attribute: string, value: string): Attributes {
    let values = this.#withOne.get(attribute);
    if (values === undefined) {
      values = new Map();
      this.#withOne.set(attribute, values);
    }
    let attributes = values.get(value);
    if (attributes === undefined) {
      attributes = { ...this.attributes, [attribute]: value };
      values.set(value, attributes);
    }
    return attributes;
  }

  /** Attributes of the server with the way something failed, if it did. */
  failed(errorType: string | undefined): Attributes {
    if (errorType === undefined) return this.attributes;
    return this.with(ATTRIBUTES.errorType, this.#setup.errorTypes.of(errorType));
  }

  #operationSeries(shape: ConnectionShape, method: string, target: string | undefined): OperationSeries {
    let own = this.#operations.get(shape);
    if (own === undefined) {
      // Shapes are few; a server that changes them all the time must not fill the memory.
      if (this.#operations.size >= MAX_SHAPES) this.#operations.clear();
      own = new ShapeSeries();
      this.#operations.set(shape, own);
    }
    let series = own.byName.get(method)?.get(target);
    if (series === undefined) {
      series = this.#makeSeries(shape, method, target, own);
      own.remember(method, target, series);
    }
    return series;
  }

  #makeSeries(
    shape: ConnectionShape,
    method: string,
    target: string | undefined,
    { byAttributes }: ShapeSeries,
  ): OperationSeries {
    const { methods, targetName, standardAttributes } = this.#setup;
    const own = targetAttributes(method, target, targetName);
    const key = `${methods.of(method)}\n${String(Object.values(own)[0])}`;
    let series = byAttributes.get(key);
    if (series === undefined) {
      const attributes = { ...standardAttributes, [ATTRIBUTES.method]: methods.of(method), ...own, ...shape.operation };
      series = new OperationSeries(attributes);
      byAttributes.set(key, series);
    }
    return series;
  }
}

const MAX_SHAPES = 50;
/** Series that are found by name; those beyond are built anew each time. */
const MAX_REMEMBERED = 2_000;

/** Names the tool or the prompt that a request is about. */
export function targetAttributes(
  method: string,
  target: string | undefined,
  targetName: (target: string, method: string) => string,
): Attributes {
  if (target === undefined) return {};
  if (method === "tools/call") {
    return { [ATTRIBUTES.toolName]: targetName(target, method), [ATTRIBUTES.operation]: "execute_tool" };
  }
  return method === "prompts/get" ? { [ATTRIBUTES.promptName]: targetName(target, method) } : {};
}
