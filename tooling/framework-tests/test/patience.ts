import { vi } from "vitest";

/** Bounds on hangs: frameworks load for long, and servers start slowly, on a machine that is busy. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
