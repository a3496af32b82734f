import { describe, expect, it } from "vitest";
import { httpConnector, stdioConnector } from "../src/index.ts";

describe("an option that a connector doesn't have is refused:", () => {
  it.each<readonly [make: (options: never) => unknown, options: string, problem: RegExp]>([
    [httpConnector, '{"url": "http://localhost/mcp", "header": {}}', /header: is not known; there are url, headers, /],
    [stdioConnector, '{"command": "true", "arg": ["x"]}', /arg: is not known; there are command, args, /],
    [httpConnector, "null", /options: must be an object/],
    [stdioConnector, "null", /options: must be an object/],
  ])("%o with %s", (make, options, problem) => {
    expect(() => make(JSON.parse(options) as never)).toThrow(problem);
  });
});

it("a resolved configuration may be handed over as it is", () => {
  const http = JSON.parse(
    '{"type": "streamable-http", "url": "http://localhost/mcp", "headers": {}, "sseFallback": true}',
  );
  const stdio = JSON.parse('{"type": "stdio", "command": "true", "args": [], "env": {}}');
  expect([httpConnector(http), stdioConnector(stdio)]).toHaveLength(2);
});

it("a command that holds its arguments is told where they belong", async () => {
  const { signal } = new AbortController();
  const request = { serverName: "s", identity: undefined, signal, timeoutMs: 20_000 };
  const connecting = stdioConnector({ command: "no-such-program -y server" }).connect(request);
  await expect(connecting).rejects.toThrow(
    /not found \(ENOENT\); if that is a program and its arguments, say these in args/,
  );
});
