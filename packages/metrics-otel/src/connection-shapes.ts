import type { ConnectionEndpoint, PoolEvent, PoolEventType } from "@mcp-pool/core";
import type { Attributes } from "@opentelemetry/api";
import { BoundedNames } from "./bounded-names.ts";
import { ATTRIBUTES } from "./names.ts";

/** What metrics and spans say of a connection; connections that lead to the same place share one. */
export interface ConnectionShape {
  readonly era: "legacy" | "modern";
  /** Where it leads and what is spoken there, for operations. */
  readonly operation: Attributes;
  /** The same for sessions, whose conventions name fewer attributes. */
  readonly session: Attributes;
}

type Opened = Extract<PoolEvent, { readonly type: "connection-opened" }>;

/** What a request is said to have run on whose connection is not known. */
const UNKNOWN: ConnectionShape = { era: "modern", operation: {}, session: {} };

/** Remembers where the connections of one pool lead. */
export class ConnectionShapes {
  static readonly TYPES: readonly PoolEventType[] = ["connection-opened", "connection-closed"];
  readonly #byId = new Map<number, ConnectionShape>();
  /** Connections that have ended, oldest first. */
  readonly #ended: number[] = [];
  #latest: ConnectionShape = UNKNOWN;

  onEvent(event: PoolEvent): void {
    if (event.type === "connection-opened") {
      this.#latest = shapeOf(event);
      this.#byId.set(event.connectionId, this.#latest);
    } else if (event.type === "connection-closed") {
      // What was on it may be told of later.
      this.#ended.push(event.connectionId);
      const oldest = this.#ended.length > MAX_ENDED ? this.#ended.shift() : undefined;
      if (oldest !== undefined) this.#byId.delete(oldest);
    }
  }

  /** Where a connection is not known, another one of the pool leads to the same server. */
  of(connectionId: number | undefined): ConnectionShape {
    return (connectionId === undefined ? undefined : this.#byId.get(connectionId)) ?? this.#latest;
  }
}

const MAX_ENDED = 100;
const MAX_SHAPES = 1_000;
const shapes = new Map<string, ConnectionShape>();

function shapeOf({ endpoint, era, protocolVersion }: Opened): ConnectionShape {
  const key = JSON.stringify([endpoint.transport, endpoint.address, endpoint.port, era, protocolVersion]);
  let shape = shapes.get(key);
  if (shape === undefined) {
    shape = makeShape(endpoint, era, protocolVersion);
    // A server that names another revision each time must not fill the memory.
    if (shapes.size >= MAX_SHAPES) shapes.clear();
    shapes.set(key, shape);
  }
  return shape;
}

const REVISION = /^\d{4}-\d{2}-\d{2}$/;
const revisions = new BoundedNames(20);

function makeShape(
  { transport, address, port }: ConnectionEndpoint,
  era: ConnectionShape["era"],
  protocolVersion: string | undefined,
): ConnectionShape {
  const isHttp = transport === "http" || transport === "sse";
  // The server says which revision it speaks, so only what looks like one becomes an attribute.
  const revision =
    protocolVersion !== undefined && REVISION.test(protocolVersion) ? revisions.of(protocolVersion) : undefined;
  const session: Attributes = {
    ...(revision !== undefined && { [ATTRIBUTES.protocolVersion]: revision }),
    ...(isHttp && { [ATTRIBUTES.protocolName]: "http" }),
    ...(address !== undefined && { [ATTRIBUTES.address]: address }),
    ...(address !== undefined && port !== undefined && { [ATTRIBUTES.port]: port }),
  };
  const network = isHttp ? "tcp" : transport === "stdio" ? "pipe" : undefined;
  const operation = network === undefined ? session : { ...session, [ATTRIBUTES.transport]: network };
  return { era, operation, session };
}
