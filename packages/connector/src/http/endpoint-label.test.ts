import { expect, test } from "vitest";
import { endpointLabel } from "./endpoint-label.ts";

test.each([
  ["https://example.com/mcp", "https://example.com/mcp"],
  ["http://user:secret@example.com:8080/mcp", "http://example.com:8080/mcp"],
  ["https://example.com/mcp?token=secret#secret", "https://example.com/mcp?[redacted]"],
  ["https://example.com/s/NDQ4YmE4YjItZjQ3ZS00Y2Y4/mcp", "https://example.com/s/[redacted]/mcp"],
  ["https://example.com/c0ffee00-1234-5678-9abc-def012345678/sse", "https://example.com/[redacted]/sse"],
  ["https://example.com/a-path-that-is-only-long/v1/mcp", "https://example.com/a-path-that-is-only-long/v1/mcp"],
])("shows %s as %s", (url, label) => {
  expect(endpointLabel(new URL(url))).toBe(label);
});
