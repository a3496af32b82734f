import type { PoolEvent } from "@mcp-pool/core";
import { expect, test } from "vitest";
import { ConnectionShapes } from "./connection-shapes.ts";

const SOURCE = { serverName: "files", identity: undefined, poolName: "files" };

function opened(connectionId: number, port: number): PoolEvent {
  const endpoint = { transport: "http", address: "example.com", port } as const;
  const connection = { connectionId, endpoint, era: "legacy", protocolVersion: "2025-11-25", durationMs: 1 } as const;
  return { type: "connection-opened", ...connection, ...SOURCE };
}

function closed(connectionId: number): PoolEvent {
  const detail = { connectionId, reason: "lost", ageMs: 1, uses: 1, cause: undefined } as const;
  return { type: "connection-closed", ...detail, ...SOURCE };
}

test("a connection's end is outlived by where it led, for requests that are told of later; but not for ever", () => {
  const shapes = new ConnectionShapes();
  shapes.onEvent(opened(0, 1_000));
  shapes.onEvent(closed(0));
  shapes.onEvent(opened(1, 1_001));
  expect(shapes.of(0).session).toMatchObject({ "server.port": 1_000 });
  for (let connectionId = 1; connectionId <= 100; connectionId++) {
    shapes.onEvent(opened(connectionId, 1_001));
    shapes.onEvent(closed(connectionId));
  }
  expect(shapes.of(0)).toBe(shapes.of(100));
  expect(shapes.of(100).session).toMatchObject({ "server.port": 1_001 });
});
