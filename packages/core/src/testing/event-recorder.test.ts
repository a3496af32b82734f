import { describe, expect, it } from "vitest";
import { EventHub } from "../event-hub.ts";
import { EventRecorder } from "./event-recorder.ts";

describe("EventRecorder", () => {
  it("keeps events in their order until it is cleared or stopped", () => {
    const source = { serverName: "files", identity: undefined, poolName: "files" };
    const wishes = {
      wantsLeases: false,
      wantsAcquired: false,
      wantsReleased: false,
      wantsQueued: false,
      wantsFinished: false,
      wantsSettled: false,
    };
    const hub = new EventHub({ ...source, ...wishes });
    const recorder = new EventRecorder(hub);
    hub.emit({ type: "acquire-queued", waiting: 1 });
    hub.emit({ type: "pool-closed" });
    expect(recorder.types).toEqual(["acquire-queued", "pool-closed"]);
    expect(recorder.of("acquire-queued")).toEqual([{ ...source, type: "acquire-queued", waiting: 1 }]);
    expect(recorder.events).toHaveLength(2);
    recorder.clear();
    expect(recorder.events).toEqual([]);
    recorder.stop();
    hub.emit({ type: "pool-closed" });
    expect(recorder.events).toEqual([]);
  });
});
