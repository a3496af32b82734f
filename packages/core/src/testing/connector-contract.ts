import assert from "node:assert/strict";
import { type Connector, type McpConnection, RequestFailure, type ServerNotification } from "../connector.ts";
import type { ContractCase } from "./contract-case.ts";

/** A request to the test server. */
export interface ContractCall {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** How the contract gets at a connector and at a test server. What a transport cannot do is skipped, in so many words. */
export interface ConnectorContractOptions {
  /** Makes a connector to a test server that works. */
  connector(): Connector | Promise<Connector>;
  /** Makes a call whose result contains the text. */
  echo(text: string): ContractCall;
  /** Is answered with a JSON-RPC error of this code and these data. */
  readonly error: (ContractCall & { readonly code: number; readonly data?: unknown }) | "skip";
  /** Is not answered while the case runs, unless it is cancelled. */
  readonly slow: ContractCall | "skip";
  /** Has the server send a notification of this method to the very connection. */
  readonly notify: (ContractCall & { readonly notification: string }) | "skip";
  /** Ends the connection from the other side. */
  readonly kill: ((connection: McpConnection) => Promise<void> | void) | "skip";
  /** Makes a connector that cannot connect. */
  readonly refused: (() => Connector | Promise<Connector>) | "skip";
  /** Makes a connector whose server takes the connection and then says nothing. */
  readonly silent: (() => Connector | Promise<Connector>) | "skip";
  /** Time for anything that must end by itself, in milliseconds. @default 10_000 */
  readonly limitMs?: number | undefined;
}

/** Requests in flight at one time in the case about correlation. */
const CONCURRENT = 50;

/** Returns the behaviours that a pool relies on in every {@link Connector}; each case opens connections of its own. */
export function connectorContract(options: ConnectorContractOptions): ContractCase[] {
  const { echo, error, slow, notify, kill, refused, silent, limitMs = 10_000 } = options;
  const openingMs = Math.min(50, limitMs / 2);
  const cases: ContractCase[] = [];

  const soon = <T>(what: string, promise: Promise<T>): Promise<T> => within(promise, limitMs, what);
  const send = (connection: McpConnection, { method, params }: ContractCall, signal = new AbortController().signal) =>
    connection.request(method, params, { signal });
  const echoes = async (connection: McpConnection, text: string) => {
    const result = await soon("an answer", send(connection, echo(text)));
    assert.ok(JSON.stringify(result).includes(text), `the answer to ${text} does not contain it`);
  };
  const open = async (
    connector: Connector | Promise<Connector>,
    signal = new AbortController().signal,
    timeoutMs = limitMs,
  ) => (await connector).connect({ serverName: "contract", identity: undefined, signal, timeoutMs });
  /** Adds a case about one open connection, which it may leave open. */
  const check = (name: string, run: (connection: McpConnection) => Promise<void>) =>
    cases.push({
      name,
      run: async () => {
        const connection = await soon("opening", open(options.connector()));
        try {
          await run(connection);
        } finally {
          await soon("close()", connection.close("unneeded"));
        }
      },
    });

  check("opens a connection that says what it is and where it leads", async (connection) => {
    assert.ok(["legacy", "modern"].includes(connection.era));
    assert.ok(connection.suggestedConcurrency >= 1, "suggestedConcurrency is at least 1");
    assert.equal(typeof connection.server.name, "string");
    assert.equal(typeof connection.server.version, "string");
    assert.equal(typeof connection.server.capabilities, "object");
    assert.ok(["stdio", "http", "sse", "in-memory"].includes(connection.endpoint.transport));
  });

  check("gives each of many concurrent requests its own answer", async (connection) => {
    const texts = Array.from({ length: CONCURRENT }, (_, index) => `<message ${index}>`);
    await Promise.all(texts.map((text) => echoes(connection, text)));
  });

  check("keeps connections apart: one that is closed leaves the other alone", async (connection) => {
    const other = await soon("opening", open(options.connector()));
    assert.notEqual(other, connection);
    await soon("close()", other.close("unneeded"));
    await echoes(connection, "still here");
  });

  if (error !== "skip") {
    check("judges a JSON-RPC error as answered, and hands on its code and data", async (connection) => {
      const failure = await failureOf(soon("the error", send(connection, error)));
      assert.equal(failure.judgement, "answered");
      const cause = failure.cause as { code?: unknown; data?: unknown };
      assert.equal(cause.code, error.code);
      if (error.data !== undefined) assert.deepEqual(cause.data, error.data);
      await echoes(connection, "still here");
    });
  }

  if (slow !== "skip") {
    check("judges an aborted request as aborted at once, and goes on", async (connection) => {
      const controller = new AbortController();
      const request = send(connection, slow, controller.signal);
      await echoes(connection, "meanwhile");
      controller.abort(new Error("enough"));
      const failure = await failureOf(soon("the end of the aborted request", request));
      assert.equal(failure.judgement, "aborted");
      await echoes(connection, "still here");
    });

    check("rejects what is in flight when it is closed", async (connection) => {
      const request = failureOf(send(connection, slow));
      await echoes(connection, "meanwhile");
      await soon("close()", connection.close("unneeded"));
      const { judgement } = await soon("the end of the request", request);
      assert.ok(judgement === "outcome-unknown" || judgement === "not-sent", `judged as ${judgement}`);
    });
  }

  check("passes a probe while its server is alive", async (connection) => {
    await soon("the probe", connection.probe(new AbortController().signal));
  });

  check("ends requests that it starts without a promise as it ends the others", async (connection) => {
    if (connection.startRequest === undefined) return;
    const started = (call: ContractCall) => startOn(connection, call);
    const result = await soon("an answer", started(echo("<started>")).ended);
    assert.ok(JSON.stringify(result).includes("<started>"), "the answer does not contain what was asked for");
    if (error !== "skip") {
      const { judgement, cause } = await failureOf(soon("the error", started(error).ended));
      assert.deepEqual([judgement, (cause as { code?: unknown }).code], ["answered", error.code]);
    }
    if (slow !== "skip") {
      const aborted = started(slow);
      await echoes(connection, "meanwhile");
      aborted.abort(new Error("enough"));
      aborted.abort(new Error("enough"));
      assert.equal((await failureOf(soon("the end", aborted.ended))).judgement, "aborted");
    }
    await echoes(connection, "still here");
    await soon("close()", connection.close("unneeded"));
    const late = await failureOf(soon("the end of the late request", started(echo("late")).ended));
    assert.equal(late.judgement, "not-sent");
  });

  if (notify !== "skip") {
    check("hands notifications to every listener until it unsubscribes", async (connection) => {
      const heard: string[] = [];
      let arrived: () => void = () => {};
      const listen = (who: string) =>
        connection.onNotification(({ method }: ServerNotification) => {
          if (method !== notify.notification) return;
          heard.push(who);
          if (who === "last") arrived();
        });
      const unsubscribe = listen("first");
      listen("last");
      for (const expected of [["first", "last"], ["last"]]) {
        heard.length = 0;
        const arrival = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        await soon("the answer", send(connection, notify));
        await soon("the notification", arrival);
        assert.deepEqual(heard, expected);
        unsubscribe();
        unsubscribe();
      }
    });
  }

  check("closes once, however often it is asked to", async (connection) => {
    let told = 0;
    connection.onClosed(() => told++);
    const closing = connection.close("unneeded");
    assert.equal(connection.close("idle"), closing, "every close() returns the same promise");
    await soon("close()", closing);
    assert.equal(connection.close("idle"), closing, "also when it is closed");
    assert.equal(told, 0, "onClosed is for a connection that ends by itself");
  });

  check("judges a request after close as not sent", async (connection) => {
    await soon("close()", connection.close("unneeded"));
    const failure = await failureOf(soon("the end of the request", send(connection, echo("late"))));
    assert.equal(failure.judgement, "not-sent");
  });

  if (kill !== "skip") {
    check("tells once that it has ended by itself, also those who ask late", async (connection) => {
      let told = 0;
      const end = new Promise<void>((resolve) => {
        connection.onClosed(() => {
          told++;
          resolve();
        });
      });
      const unsubscribe = connection.onClosed(() => assert.fail("an unsubscribed listener was told"));
      unsubscribe();
      await kill(connection);
      await soon("onClosed", end);
      let toldLate = 0;
      connection.onClosed(() => toldLate++);
      assert.equal(toldLate, 1, "a late listener is told at once");
      const { judgement } = await failureOf(soon("the end of the request", send(connection, echo("late"))));
      assert.equal(judgement, "not-sent");
      assert.equal(told, 1, "and the first one only once");
    });
  }

  if (refused !== "skip") {
    cases.push({
      name: "rejects with an Error when it cannot connect",
      run: async () => {
        await soon("the refusal", assert.rejects(open(refused()), Error));
      },
    });
  }

  if (silent !== "skip") {
    cases.push({
      name: "gives up opening when the signal aborts",
      run: async () => {
        const controller = new AbortController();
        const opening = open(silent(), controller.signal);
        controller.abort(new Error("no longer needed"));
        await soon("the end of the opening", assert.rejects(opening, Error));
      },
    });
    cases.push({
      name: "gives up opening when the time is up",
      run: async () => {
        await soon("the end of the opening", assert.rejects(open(silent(), undefined, openingMs), Error));
      },
    });
  }
  return cases;
}

/** Starts a request without a promise, and makes one of its end. */
function startOn(
  connection: McpConnection,
  { method, params }: ContractCall,
): { readonly ended: Promise<unknown>; abort(reason: unknown): void } {
  let abort: (reason: unknown) => void = () => {};
  let ends = 0;
  const ended = new Promise<unknown>((resolve, reject) => {
    const end = (settle: () => void): void => {
      assert.equal(++ends, 1, "a request ends once");
      settle();
    };
    const started = connection.startRequest?.(
      method,
      params,
      {},
      {
        onResult: (result) => end(() => resolve(result)),
        onFailure: (failure) => end(() => reject(failure)),
      },
    );
    abort = (reason) => started?.abort(reason);
  });
  return { ended, abort: (reason) => abort(reason) };
}

async function failureOf(request: Promise<unknown>): Promise<RequestFailure> {
  const error: unknown = await request.then(
    () => new assert.AssertionError({ message: "the request should have failed" }),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RequestFailure, `a request must reject with a RequestFailure, not with ${String(error)}`);
  return error;
}

async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${what} took more than ${limitMs} ms` })),
      limitMs,
    );
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
