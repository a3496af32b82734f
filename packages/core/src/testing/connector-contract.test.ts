import { describe, expect, it } from "vitest";
import { type ConnectorContractOptions, connectorContract } from "./connector-contract.ts";
import { FakeClock } from "./fake-clock.ts";
import { fail, judged, ok, type Step, untilAborted } from "./script.ts";
import type { RecordedRequest, ScriptedConnection } from "./scripted-connection.ts";
import { ScriptedConnector } from "./scripted-connector.ts";

/** A connector to a scripted server that does what the contract asks for. */
function testServer(): ScriptedConnector {
  const connector = new ScriptedConnector({ clock: new FakeClock() });
  connector.onRequest.always(({ method, params, connection }: RecordedRequest): Step => {
    switch (method) {
      case "throw":
        return judged("answered", "thrown", {
          cause: Object.assign(new Error("thrown"), { code: -32_000, data: [1] }),
        });
      case "slow":
        return untilAborted();
      case "notify":
        connector.connection(connection).notify({ method: "notifications/x" });
        return ok();
      default:
        return ok(params);
    }
  });
  return connector;
}

function scripted(step: Step): ScriptedConnector {
  const connector = new ScriptedConnector({ clock: new FakeClock() });
  connector.onConnect.always(step);
  return connector;
}

const options: ConnectorContractOptions = {
  connector: testServer,
  echo: (text) => ({ method: "echo", params: { text } }),
  error: { method: "throw", code: -32_000, data: [1] },
  slow: { method: "slow" },
  notify: { method: "notify", notification: "notifications/x" },
  kill: (connection) => (connection as ScriptedConnection).die(new Error("killed")),
  refused: () => scripted(fail(new Error("refused"))),
  silent: () => {
    const connector = new ScriptedConnector();
    connector.onConnect.always(({ timeoutMs }) => ({
      kind: "after",
      delayMs: timeoutMs,
      next: fail(new Error("late")),
    }));
    return connector;
  },
  limitMs: 200,
};

describe("connectorContract", () => {
  it.each(connectorContract(options))("$name", ({ run }) => run());

  it("leaves cases out where it is told to skip them", () => {
    const skip = {
      error: "skip",
      slow: "skip",
      notify: "skip",
      kill: "skip",
      refused: "skip",
      silent: "skip",
    } as const;
    const all = connectorContract(options).length;
    expect(connectorContract({ ...options, ...skip })).toHaveLength(all - 8);
  });

  /** Runs all cases and returns the names of those that fail. */
  async function broken(own: Partial<ConnectorContractOptions>): Promise<string[]> {
    const names: string[] = [];
    for (const { name, run } of connectorContract({ ...options, limitMs: 20, ...own })) {
      await run().catch(() => names.push(name));
    }
    return names;
  }

  it("finds a connector that mixes answers up", async () => {
    const connector = () => {
      const server = testServer();
      server.onRequest.always(ok({ text: "always the same" }));
      return server;
    };
    expect(await broken({ connector, slow: "skip", notify: "skip", kill: "skip", error: "skip" })).toContain(
      "gives each of many concurrent requests its own answer",
    );
  });

  it("finds a connector that does not judge", async () => {
    const connector = () => {
      const server = testServer();
      server.onRequest.next(fail(new Error("who knows")));
      return server;
    };
    expect(await broken({ connector })).toContain(
      "judges a JSON-RPC error as answered, and hands on its code and data",
    );
  });

  it("finds a connector that hangs where it should end", async () => {
    const connector = () => {
      const server = testServer();
      server.onClose.always({ kind: "hang" });
      server.onProbe.always({ kind: "hang" });
      return server;
    };
    const names = await broken({ connector, silent: () => scripted({ kind: "hang" }) });
    expect(names).toContain("closes once, however often it is asked to");
    expect(names).toContain("passes a probe while its server is alive");
    expect(names).toContain("gives up opening when the signal aborts");
    expect(names).toContain("gives up opening when the time is up");
  });

  it("finds a connector that closes anew each time, and one that goes on after close", async () => {
    const connector = () => {
      const server = testServer();
      const connect = server.connect.bind(server);
      server.connect = async (request) => {
        const connection = await connect(request);
        connection.close = async () => {};
        return connection;
      };
      return server;
    };
    const names = await broken({ connector });
    expect(names).toContain("closes once, however often it is asked to");
    expect(names).toContain("judges a request after close as not sent");
    expect(names).toContain("rejects what is in flight when it is closed");
  });

  it("finds a connector that rejects with no Error", async () => {
    expect(await broken({ refused: () => scripted(fail("refused")) })).toEqual([
      "rejects with an Error when it cannot connect",
    ]);
  });
});
