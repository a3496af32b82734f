import { expect, it } from "vitest";
import type { HttpConnectorOptions, MockConfig, MockConnectorOptions } from "../src/index.ts";

type IsSame<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : false) : false;

/** What a mock can be told, beside what every connector can. */
type MockBehaviour = Omit<MockConnectorOptions, keyof HttpConnectorOptions>;
type ToolOf<Behaviour extends { readonly tools?: unknown }> = NonNullable<Behaviour["tools"]>;
type FaultOf<Behaviour extends { readonly faults?: unknown }> = NonNullable<Behaviour["faults"]>;

/** The two are written twice, since neither package may import the other; this does not compile once they differ. */
it("what files and code may say of a mock is what the mock understands, no more and no less", () => {
  const isSame: readonly [
    IsSame<keyof MockConfig, keyof MockBehaviour>,
    IsSame<Required<MockConfig>, Required<MockBehaviour>>,
    IsSame<keyof ToolOf<MockConfig>[string], keyof ToolOf<MockBehaviour>[string]>,
    IsSame<keyof FaultOf<MockConfig>[number], keyof FaultOf<MockBehaviour>[number]>,
    IsSame<FaultOf<MockConfig>[number]["kind"], FaultOf<MockBehaviour>[number]["kind"]>,
  ] = [true, true, true, true, true];
  expect(isSame).not.toContain(false);
});
