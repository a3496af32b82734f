import { expect, test } from "vitest";
import type { OutgoingRequest } from "../v1/link.ts";
import { HttpTraffic } from "./http-traffic.ts";
import { IdentityHeaders } from "./identity-headers.ts";
import type { AnswerSink } from "./own-post.ts";

const SERVER = new URL("http://server.test/mcp");

/** A request that nobody has answered. */
function openRequest(id: number): OutgoingRequest {
  return { id, headers: undefined, sent: false, isOpen: true, isAnswered: false, fail: () => {} };
}

test("streams that are given up before their end are not remembered, since the SDK never resumes them", async () => {
  const resumed: string[] = [];
  let sink: AnswerSink | undefined;
  const traffic = new HttpTraffic({
    url: SERVER,
    headers: new IdentityHeaders({}, {}, { serverName: "test", identity: undefined }),
    fetch: async (_url, init) => {
      resumed.push(new Headers(init?.headers).get("last-event-id") ?? "");
      return new Response(null, { status: 405 });
    },
    post(_post, given) {
      sink = given;
      return () => {};
    },
    deliver: () => {},
    report: () => {},
    maxMessageBytes: 1_000,
    authoriser: undefined,
    maxResumeAttempts: 2,
  });
  traffic.begin(openRequest(1_000_000_000));
  void traffic.fetch(SERVER, { method: "POST", body: '{"jsonrpc":"2.0","id":1000000000,"method":"ping"}' });
  await expect.poll(() => sink).toBeDefined();
  sink?.start();
  sink?.head({ status: 200, headers: { "content-type": "text/event-stream" } });
  sink?.data(Buffer.from("id: one\ndata:\n\n"));
  traffic.forget(1_000_000_000);
  // Another stream of the same id, which a server may give once more: nothing of the first is left.
  await traffic.fetch(SERVER, { method: "GET", headers: { "last-event-id": "one" } });
  expect(resumed).toEqual(["one"]);
});
