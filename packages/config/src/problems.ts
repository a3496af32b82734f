import { type Issue, McpConfigurationError } from "@mcp-pool/core";
import { describeValue, showKey } from "./reveal.ts";
import type { Path, Source } from "./source.ts";

/** As many faults of one text are told: what comes after is mostly a consequence. */
export const MAX_FAULTS = 20;

/** As many problems are told in all. */
const MAX_ISSUES = 200;

/** What is wrong with a value. */
export interface Problem {
  /** What would be right, as in "must be …". */
  readonly expected?: string | undefined;
  /** What is there instead. @default told by the value */
  readonly found?: string | undefined;
  /** The value itself; give it only where it can't be a secret. */
  readonly value?: unknown;
  /** What is wrong, where "must be …, not …" does not say it. */
  readonly message?: string | undefined;
  readonly hint?: string | undefined;
  /** Whether the key is wrong rather than the value. */
  readonly part?: "key" | "value" | undefined;
}

/** Collects what is wrong with a configuration, so that all of it is told at once. */
export class Problems {
  readonly issues: Issue[] = [];

  report(source: Source, path: Path, problem: Problem): void {
    if (this.issues.length >= MAX_ISSUES) return;
    const { expected, hint, part } = problem;
    const found = problem.found ?? (expected === undefined ? undefined : describeValue(problem.value));
    const shown = path.map((key, index) => (part === "key" && index === path.length - 1 ? showKey(key) : oneLine(key)));
    this.issues.push({
      path: shown.join("."),
      message: problem.message ?? `must be ${expected}, not ${found}`,
      ...defined({ file: source.file, ...source.locate(path, part), expected, found, hint }),
    });
  }

  /** @throws {McpConfigurationError} when there is any problem */
  refuse(): void {
    if (this.issues.length > 0) throw new McpConfigurationError(this.issues.toSorted(byPlace));
  }
}

/** Those of one file come in the order of its lines. */
function byPlace(one: Issue, other: Issue): number {
  if (one.file === undefined || one.file !== other.file) return 0;
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

function oneLine(key: string | number): string {
  return String(key)
    .replace(/[\p{Cc}\u2028\u2029]/gu, "?")
    .slice(0, 80);
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
