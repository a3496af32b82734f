import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import { expect, test } from "vitest";
import { CookieJar, keepCookies } from "./affinity-cookies.ts";

const SERVER = new URL("https://server.test/mcp");

/** A fetch whose answers set the given cookies, one list per answer; it returns the cookies that each request sent. */
function visit(...answers: readonly (readonly string[])[]): {
  readonly fetch: FetchLike;
  readonly sent: (string | null)[];
} {
  const sent: (string | null)[] = [];
  const next: FetchLike = async (_url, init) => {
    sent.push(new Headers(init?.headers).get("cookie"));
    const headers = new Headers();
    for (const line of answers[sent.length - 1] ?? []) headers.append("set-cookie", line);
    return new Response(null, { headers });
  };
  return { fetch: keepCookies(next, new CookieJar(SERVER)), sent };
}

test("cookies come back with later requests to the server, the latest value of each", async () => {
  const { fetch, sent } = visit(["route=a; Path=/; HttpOnly", "lb=1"], ["route=b=c"], []);
  for (let index = 0; index < 3; index++) await fetch(SERVER);
  expect(sent).toEqual([null, "route=a; lb=1", "route=b=c; lb=1"]);
});

test("cookies go to no other origin, and are taken from none", async () => {
  const { fetch, sent } = visit(["route=a"], ["evil=1"], []);
  await fetch(SERVER);
  await fetch("https://elsewhere.test/mcp");
  await fetch(SERVER);
  expect(sent).toEqual([null, null, "route=a"]);
});

test.each([
  ["has a maximum age of none", "route=; Max-Age=0"],
  ["ended long ago", "route=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
])("a cookie is dropped when it %s", async (_what, line) => {
  const { fetch, sent } = visit(["route=a"], [line], []);
  for (let index = 0; index < 3; index++) await fetch(SERVER);
  expect(sent).toEqual([null, "route=a", null]);
});

test("a cookie for a path goes to what lies below it", async () => {
  const { fetch, sent } = visit(["a=1; Path=/mcp", "b=2; Path=/mc"], [], [], []);
  for (const path of ["/mcp", "/mcp", "/mcp/deeper", "/other"]) await fetch(new URL(path, SERVER));
  expect(sent).toEqual([null, "a=1", "a=1", null]);
});

test("cookies of the caller's own stay as they are, and what is no cookie is ignored", async () => {
  const { fetch, sent } = visit(["=nothing", "nothing", `large=${"x".repeat(5_000)}`, "route=a"], [], []);
  await fetch(SERVER);
  await fetch(SERVER, { headers: { cookie: "own=1" } });
  await fetch(SERVER);
  expect(sent).toEqual([null, "own=1", "route=a"]);
});

test("a secure cookie is not taken over plain http, and old ones make room", async () => {
  const sent: (string | null)[] = [];
  const lines = ["safe=1; Secure", ...Array.from({ length: 51 }, (_, index) => `c${index}=1`)];
  const next: FetchLike = async (_url, init) => {
    sent.push(new Headers(init?.headers).get("cookie"));
    const headers = new Headers();
    for (const line of lines) headers.append("set-cookie", line);
    return new Response(null, { headers });
  };
  const plain = new URL("http://server.test/mcp");
  const fetch = keepCookies(next, new CookieJar(plain));
  await fetch(plain);
  await fetch(plain);
  expect(sent[1]?.split("; ")).toHaveLength(50);
  expect(sent[1]).not.toContain("safe");
  expect(sent[1]).not.toMatch(/c0=/);
});

test("a fetch whose answers cannot list their cookies serves all the same", async () => {
  const fetch = keepCookies(async () => {
    const response = new Response("answer", { headers: { "set-cookie": "route=a" } });
    Object.defineProperty(response.headers, "getSetCookie", { value: undefined });
    return response;
  }, new CookieJar(SERVER));
  expect(await (await fetch(SERVER)).text()).toBe("answer");
});
