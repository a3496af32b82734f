import { type MakePoolBench, poolBenches } from "@mcp-pool/core/testing";
import { onTestFinished } from "vitest";

export const poolBench: MakePoolBench = poolBenches(onTestFinished);
