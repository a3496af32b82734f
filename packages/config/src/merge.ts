import { keyOf } from "./normalise.ts";
import { isRecord, type Path } from "./source.ts";

/** Where each value in force was set, by {@link keyOf} of its path. */
export type Origins = Map<string, string>;

/** What is replaced as a whole, since half of one and half of another would mean neither. */
const WHOLE: ReadonlySet<string> = new Set(["checkMethod", "mock"]);

/** Puts a block over another, field by field, and notes where each field comes from. */
export function mergeBlock<T extends object>(
  under: T,
  over: T | undefined,
  path: Path,
  originOf: (path: Path) => string,
  origins: Origins,
): T {
  const result: Record<string, unknown> = Object.fromEntries(Object.entries(under));
  for (const [key, value] of Object.entries(over ?? {})) {
    if (value === undefined) continue;
    const own = [...path, key];
    if (isRecord(value) && !WHOLE.has(key)) {
      const child = Object.hasOwn(result, key) && isRecord(result[key]) ? result[key] : {};
      result[key] = mergeBlock(child, value, own, originOf, origins);
    } else {
      result[key] = value;
      origins.set(keyOf(own), originOf(own));
    }
  }
  return result as T;
}
