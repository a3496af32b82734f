import { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import type { Problems } from "./problems.ts";
import { describeValue } from "./reveal.ts";
import type { ConfigSchema } from "./schema-parts.ts";
import { isRecord, type Path, type Source } from "./source.ts";
import { codeSpellingsOf, type Spelling, spellingsOf } from "./spelling.ts";
import { parseTime, secondsToMs } from "./time-text.ts";

/** A value in the spelling of code, and where each part of it was written. */
export interface Normalised<T> {
  readonly value: T;
  /** Returns the path as written of a path in the spelling of code. */
  writtenPath(path: Path): Path;
}

/**
 * Brings a value of any spelling into the one of code, and checks it against a schema. Problems are reported with the
 * path as written; what is wrong is left out of the value.
 */
export function normalise<T extends object>(
  value: unknown,
  schema: ConfigSchema<T>,
  source: Source,
  problems: Problems,
  at: Path = [],
): Normalised<Partial<T>> {
  const written = new Map<string, Path>([["", at]]);
  const writtenPath = (path: Path): Path => {
    for (let length = path.length; length > 0; length--) {
      const found = written.get(keyOf(path.slice(0, length)));
      if (found !== undefined) return [...found, ...path.slice(length)];
    }
    return [...at, ...path];
  };

  function visit(each: unknown, part: z.core.$ZodType, path: Path, from: Path): unknown {
    const inner = unwrap(part);
    if (inner instanceof z.ZodObject && isRecord(each)) return visitBlock(each, inner.shape, path, from);
    if (inner instanceof z.ZodRecord && isRecord(each)) {
      const entries = Object.entries(each).filter(([key, child]) => {
        // zod passes over this key, and so would lose it.
        if (key === "__proto__") problems.report(source, [...from, key], { message: "is no name", part: "key" });
        return key !== "__proto__" && !isAbsent(child, source);
      });
      return Object.fromEntries(
        entries.map(([key, child]) => {
          written.set(keyOf([...path, key]), [...from, key]);
          return [key, visit(child, inner.valueType, [...path, key], [...from, key])];
        }),
      );
    }
    if (inner instanceof z.ZodArray && Array.isArray(each)) {
      return each.map((child, index) => visit(child, inner.element, [...path, index], [...from, index]));
    }
    if (inner instanceof z.ZodUnion && isRecord(each)) {
      const object = inner.options.map(unwrap).find((option) => option instanceof z.ZodObject);
      return object === undefined ? each : visit(each, object, path, from);
    }
    return each;
  }

  function visitBlock(
    block: Readonly<Record<string, unknown>>,
    shape: z.core.$ZodLooseShape,
    path: Path,
    from: Path,
  ): unknown {
    const spellings = allSpellings(shape, source.dialect);
    const result = new Map<string, unknown>();
    for (const [name, child] of Object.entries(block)) {
      const own: Path = [...from, name];
      const spelling = spellings.get(name);
      if (spelling === undefined) {
        reportUnknown(name, Object.keys(shape), own);
        continue;
      }
      if (isAbsent(child, source)) continue;
      const { key, unit } = spelling;
      if (result.has(key)) {
        problems.report(source, own, { message: `sets ${key} again, in another spelling`, part: "key" });
        continue;
      }
      const target: Path = [...path, key];
      written.set(keyOf(target), own);
      const part = shape[key];
      if (part === undefined) continue;
      result.set(key, unit === undefined ? visit(child, part, target, own) : toMs(child, unit));
    }
    return Object.fromEntries(result);
  }

  function reportUnknown(name: string, known: readonly string[], own: Path): void {
    const near = didYouMean(name, known);
    const hint = near === undefined ? `there are ${known.join(", ")}` : `did you mean "${near}"?`;
    problems.report(source, own, { message: "is not known", hint, part: "key" });
  }

  const visited = visit(value, schema, [], at);
  const checked = schema.safeParse(visited);
  if (checked.success) return { value: checked.data, writtenPath };
  for (const issue of checked.error.issues) {
    const path = issue.path.filter((key) => typeof key !== "symbol");
    const found = valueAt(visited, path);
    const isTime = String(path.at(-1)).endsWith("Ms") && source.dialect === "file";
    problems.report(source, writtenPath(path), {
      expected: issue.message,
      found: describeValue(found),
      hint: isTime && typeof found === "string" ? 'a time is a number, or has a unit: "30s", "500ms"' : undefined,
    });
  }
  for (const issue of checked.error.issues) removeAt(visited, issue.path);
  return { value: isRecord(visited) ? (visited as Partial<T>) : {}, writtenPath };
}

/** In a file, a key without a value is as good as none; in code, so is `undefined`. */
function isAbsent(value: unknown, { dialect }: Source): boolean {
  return value === undefined || (dialect === "file" && value === null);
}

function toMs(value: unknown, unit: "milliseconds" | "seconds"): unknown {
  if (typeof value === "string") return parseTime(value) ?? value;
  return typeof value === "number" && unit === "seconds" ? secondsToMs(value) : value;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ? unwrap(schema.def.innerType) : schema;
}

const known = new WeakMap<object, Map<Source["dialect"], ReadonlyMap<string, Spelling>>>();

function allSpellings(shape: z.core.$ZodLooseShape, dialect: Source["dialect"]): ReadonlyMap<string, Spelling> {
  const byDialect = known.get(shape) ?? new Map<Source["dialect"], ReadonlyMap<string, Spelling>>();
  known.set(shape, byDialect);
  const spellings =
    byDialect.get(dialect) ??
    new Map(Object.keys(shape).flatMap((key) => [...(dialect === "file" ? spellingsOf(key) : codeSpellingsOf(key))]));
  byDialect.set(dialect, spellings);
  return spellings;
}

/** Makes one string of a path, for maps. */
export function keyOf(path: Path): string {
  return path.join("\0");
}

/** Takes a bad value out, so that the rest is checked against the other sources too. */
function removeAt(value: unknown, path: readonly PropertyKey[]): void {
  const last = path.at(-1);
  const parent = valueAt(
    value,
    path.slice(0, -1).filter((key) => typeof key !== "symbol"),
  );
  if (last !== undefined && isRecord(parent)) Reflect.deleteProperty(parent, last);
}

function valueAt(value: unknown, path: Path): unknown {
  let each = value;
  for (const key of path) {
    if (typeof each !== "object" || each === null || !Object.hasOwn(each, key)) return undefined;
    each = (each as Readonly<Record<string | number, unknown>>)[key];
  }
  return each;
}
