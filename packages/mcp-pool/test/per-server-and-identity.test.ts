import type { McpConnectionManager } from "@mcp-pool/core";
import { judged, ok } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { circuitBreaker, retry } from "../src/index.ts";
import { codeOf, fullStack, settled } from "./full-stack.ts";

const PAY = { name: "pay" };

describe("a circuit breaker", () => {
  it("is that of one server and one identity: what fails for one is not held against the others", async () => {
    const { manager, clock, connector } = fullStack(["files", "mail"], {
      plugins: [circuitBreaker({ failureThreshold: 3 })],
    });
    connector("files").onRequest.always((call) =>
      call.params?.for === "alice" ? judged("timed-out") : ok({ content: [] }),
    );
    for (let call = 0; call < 4; call++) {
      void settled(manager.callTool("files", { ...PAY, for: "alice" } as typeof PAY, { identity: "alice" }));
      await clock.advance(100);
    }
    const states = [
      manager.circuitBreaker("files", "alice"),
      manager.circuitBreaker("files", "bob"),
      manager.circuitBreaker("files"),
      manager.circuitBreaker("mail", "alice"),
    ].map(({ state }) => state);
    expect(states).toEqual(["open", "closed", "closed", "closed"]);
    const refused = settled(manager.callTool("files", PAY, { identity: "alice" }));
    const served = settled(manager.callTool("files", PAY, { identity: "bob" }));
    await clock.advance(100);
    expect([codeOf(refused), served.state]).toEqual(["CIRCUIT_OPEN", "resolved"]);
  });
});

describe("the pool of an identity that nobody uses", () => {
  const setUp = async () => {
    const stack = fullStack(["files"], {
      plugins: [circuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 60_000 })],
      settings: { cleanupIntervalMs: 1_000 },
      pool: { maxIdleTimeMs: 500, cleanupIntervalMs: 500 },
    });
    void settled(stack.manager.callTool("files", PAY, { identity: "alice" }));
    await stack.clock.advance(100);
    return stack;
  };
  const poolCount = (manager: McpConnectionManager) => manager.poolsOf("files").length;

  it("is thrown away while its circuit is closed", async () => {
    const { manager, clock } = await setUp();
    expect(poolCount(manager)).toBe(2);
    await clock.advance(5_000);
    expect(poolCount(manager)).toBe(1);
  });

  it("is kept while its circuit is open, and a second call finds it so", async () => {
    const { manager, clock, connector } = await setUp();
    connector("files").onRequest.next(judged("outcome-unknown"));
    void settled(manager.callTool("files", PAY, { identity: "alice" }));
    await clock.advance(30_000);
    const refused = settled(manager.callTool("files", PAY, { identity: "alice" }));
    await clock.settle();
    expect(codeOf(refused)).toBe("CIRCUIT_OPEN");
    await clock.advance(60_000);
    expect(poolCount(manager)).toBe(1);
  });

  it("is kept while somebody holds its circuit, until it is reset", async () => {
    const { manager, clock } = await setUp();
    manager.circuitBreaker("files", "alice").forceOpen();
    await clock.advance(3_600_000);
    expect(manager.circuitBreaker("files", "alice").state).toBe("open");
    manager.circuitBreaker("files", "alice").reset();
    await clock.advance(5_000);
    expect(poolCount(manager)).toBe(1);
  });
});

describe("the budget of retries", () => {
  it("is that of one server, whoever asks", async () => {
    const { manager, clock, connector } = fullStack(["files", "mail"], { plugins: [retry({ budgetTokens: 10 })] });
    const later = judged("overloaded", "later", { retryAfterMs: 1 });
    for (const name of ["files", "mail"]) connector(name).onRequest.always(later);
    const triesOf = async (server: string, identity: string) => {
      const before = connector(server).requests.length;
      void settled(manager.callTool(server, PAY, { identity }));
      await clock.advance(1_000);
      return connector(server).requests.length - before;
    };
    expect(await triesOf("files", "alice")).toBe(3);
    expect(await triesOf("files", "bob")).toBe(1);
    expect(await triesOf("mail", "bob")).toBe(3);
  });
});
