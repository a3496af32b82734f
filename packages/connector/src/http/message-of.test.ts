import { expect, test } from "vitest";
import { messageOf } from "./message-of.ts";

const ERROR = { code: -32_000, message: "no" };

test.each([
  { id: 1, result: {} },
  { id: "one", result: { content: [] }, more: "than is known" },
  { id: 1, error: ERROR },
  { error: { ...ERROR, data: [1] } },
  { id: 1, method: "ping" },
  { method: "notifications/message", params: { level: "info" } },
])("takes %j for a message", (members) => {
  const message = { jsonrpc: "2.0", ...members };
  expect(messageOf(message)).toBe(message);
});

test.each([
  undefined,
  null,
  "text",
  [],
  {},
  { jsonrpc: "1.0", id: 1, result: {} },
  { jsonrpc: "2.0" },
  { jsonrpc: "2.0", id: 1 },
  { jsonrpc: "2.0", result: {} },
  { jsonrpc: "2.0", id: 1.5, result: {} },
  { jsonrpc: "2.0", id: null, result: {} },
  { jsonrpc: "2.0", id: 1, result: [] },
  { jsonrpc: "2.0", id: 1, result: {}, error: ERROR },
  { jsonrpc: "2.0", id: 1, error: "no" },
  { jsonrpc: "2.0", id: 1, error: { code: "E", message: "no" } },
  { jsonrpc: "2.0", id: 1, error: { code: -1 } },
  { jsonrpc: "2.0", id: {}, method: "ping" },
  { jsonrpc: "2.0", method: 1 },
  { jsonrpc: "2.0", method: "x", params: [] },
])("refuses %j", (value) => {
  expect(() => messageOf(value)).toThrow(/^the server sent/);
});
