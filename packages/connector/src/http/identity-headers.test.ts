import { expect, onTestFinished, test, vi } from "vitest";
import { HeadersByIdentity, type HeadersRequest } from "./identity-headers.ts";

/** A source whose answers come when the test says so, and the headers that ask it. */
function slowSource() {
  const asked: HeadersRequest[] = [];
  const answers: ((token: string) => void)[] = [];
  const source = (request: HeadersRequest) => {
    asked.push(request);
    return new Promise<Record<string, string>>((resolve) => answers.push((token) => resolve({ token })));
  };
  const { headers } = new HeadersByIdentity(source, {}).take({ serverName: "files", identity: "ann" });
  return { asked, answers, headers };
}

function later(ms: number): void {
  const now = performance.now() + ms;
  vi.spyOn(performance, "now").mockReturnValue(now);
  onTestFinished(() => void vi.restoreAllMocks());
}

test("a call of the function that never ends holds up nobody who comes much later", async () => {
  const { asked, answers, headers } = slowSource();
  const [first, second] = [headers.current(), headers.current()];
  expect(asked).toHaveLength(1);
  later(60_000);
  const third = headers.current();
  expect(asked).toHaveLength(2);
  answers[1]?.("new");
  expect(await third).toEqual({ token: "new" });
  answers[0]?.("old");
  expect(await Promise.all([first, second])).toEqual([{ token: "old" }, { token: "old" }]);
});

test("nor does a renewal that never ends", async () => {
  const { asked, answers, headers } = slowSource();
  const lost = headers.renewed({ token: "refused" });
  later(60_000);
  const renewed = headers.renewed({ token: "refused" });
  expect(asked).toMatchObject([{ isRefused: true }, { isRefused: true }]);
  answers[1]?.("new");
  expect(await renewed).toEqual({ token: "new" });
  answers[0]?.("late");
  expect(await lost).toEqual({ token: "late" });
});
