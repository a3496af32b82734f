import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { boundedFetch } from "./bounded-fetch.ts";

/** A server that begins an answer, if at all, and never ends it. */
async function hangingServer(beginsAnswer: boolean): Promise<string> {
  const server = createServer((_request, response) => {
    if (beginsAnswer) response.write("{");
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([[false], [true]])("an answer that never ends is given up (begun: %s)", async (beginsAnswer) => {
  const url = await hangingServer(beginsAnswer);
  const answer = boundedFetch(fetch, 50)(url).then((response) => response.text());
  await expect(answer).rejects.toMatchObject({ name: "TimeoutError" });
});

test("the caller's own signal still ends it", async () => {
  const controller = new AbortController();
  const answer = boundedFetch(fetch, 60_000)(await hangingServer(false), { signal: controller.signal });
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(answer).rejects.toBe(reason);
});
