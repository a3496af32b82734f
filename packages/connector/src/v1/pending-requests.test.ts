import { describe, expect, it } from "vitest";
import { PendingRequest } from "./pending-request.ts";
import { PendingRequests } from "./pending-requests.ts";

const FIRST_ID = 1_000_000_000;

function requestOf(id: number): PendingRequest {
  const end = { onResult: () => {}, onFailure: () => {} };
  return new PendingRequest(id, "ping", {}, end, { onAbandoned: () => {}, onEnded: () => {} });
}

describe("open requests", () => {
  it("are found by id, whichever have ended meanwhile", () => {
    const pending = new PendingRequests();
    const open = new Map<number, PendingRequest>();
    for (let id = FIRST_ID; id < FIRST_ID + 2_000; id++) {
      const request = requestOf(id);
      pending.add(request);
      open.set(id, request);
      // Every seventh stays open, so that places are taken when their turn comes again.
      const ended = open.get(id - 3);
      if (ended === undefined || ended.id % 7 === 0) continue;
      pending.delete(ended);
      open.delete(ended.id);
    }
    for (let id = FIRST_ID - 5; id < FIRST_ID + 2_005; id++) expect(pending.get(id)).toBe(open.get(id));
    expect(pending.all()).toEqual([...open.values()]);
  });

  it("are none for ids that are no numbers of theirs", () => {
    const pending = new PendingRequests();
    pending.add(requestOf(FIRST_ID));
    for (const id of [Number.NaN, -1, FIRST_ID + 0.5, FIRST_ID + 2 ** 32, Infinity]) {
      expect(pending.get(id)).toBeUndefined();
    }
  });

  it("may be deleted twice, and when another one has their place", () => {
    const pending = new PendingRequests();
    const [first, second] = [requestOf(FIRST_ID), requestOf(FIRST_ID + 1_024)];
    pending.add(first);
    pending.add(second);
    pending.delete(first);
    pending.delete(first);
    expect([pending.get(first.id), pending.get(second.id)]).toEqual([undefined, second]);
    pending.delete(second);
    expect(pending.all()).toEqual([]);
  });
});
