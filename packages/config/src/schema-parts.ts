import { z } from "zod";

/** The schema of one block, as users of the package see it. */
export type ConfigSchema<T> = z.ZodType<T>;

/** Marks in a schema's metadata what only code can supply; the JSON Schema leaves it out. */
export const CODE_ONLY = { codeOnly: true };

/**
 * Numbers are checked by functions, because zod's own numbers refuse `Infinity`, with which code says "without a limit".
 * The metadata is what the JSON Schema says of them.
 */
function number(expected: string, isGood: (value: number) => boolean, json: object): ConfigSchema<number> {
  return z.custom<number>((value) => typeof value === "number" && isGood(value), { error: expected }).meta({ ...json });
}

/** A whole number that may be unlimited. */
export function count(least: number): ConfigSchema<number> {
  const isGood = (value: number) => value === Infinity || (Number.isInteger(value) && value >= least);
  return number(`a whole number of at least ${least}`, isGood, { type: "integer", minimum: least });
}

/** A whole number. */
export function finiteCount(least: number): ConfigSchema<number> {
  const isGood = (value: number) => Number.isInteger(value) && value >= least;
  return number(`a whole number of at least ${least}`, isGood, { type: "integer", minimum: least });
}

/** A time in milliseconds; in files it may be written in other units, see `spelling.ts`. */
export function duration(least = 1): ConfigSchema<number> {
  return number(`a time of at least ${least} ms`, (value) => value >= least, { type: "number", minimum: least });
}

/** A number between two others. */
export function numberFrom(least: number, most: number): ConfigSchema<number> {
  const isGood = (value: number) => value >= least && value <= most;
  return number(`a number from ${least} to ${most}`, isGood, { type: "number", minimum: least, maximum: most });
}

/** An HTTP status that refuses a request. */
export function httpStatus(): ConfigSchema<number> {
  const isGood = (value: number) => Number.isInteger(value) && value >= 400 && value <= 499;
  return number("an HTTP status from 400 to 499", isGood, { type: "integer", minimum: 400, maximum: 499 });
}

export function finiteNumber(): ConfigSchema<number> {
  return number("a number", Number.isFinite, { type: "number" });
}

export function flag(): ConfigSchema<boolean> {
  return z.boolean({ error: "true or false" });
}

export function text(expected = "a string"): ConfigSchema<string> {
  return z.string({ error: expected });
}

export function nonEmptyText(): ConfigSchema<string> {
  return z.string({ error: "a string that is not empty" }).min(1, { error: "a string that is not empty" });
}

export function texts(): ConfigSchema<readonly string[]> {
  return z.array(text(), { error: "a list of strings" });
}

export function textsByName(): ConfigSchema<Readonly<Record<string, string>>> {
  return z.record(z.string(), text(), { error: "an object of strings" });
}

export function oneOf<const T extends string>(...values: readonly [T, ...T[]]): ConfigSchema<T> {
  const quoted = values.map((value) => JSON.stringify(value));
  const error = [quoted.slice(0, -1).join(", "), quoted.at(-1)].filter((each) => each !== "").join(" or ");
  return z.enum(values, { error });
}

export function functionOnly<T>(): ConfigSchema<T> {
  return z.custom<T>((value) => typeof value === "function").meta(CODE_ONLY);
}

/** An object that has these keys only. */
export function block<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, { error: (issue) => (issue.code === "invalid_type" ? "an object" : undefined) });
}

export function byName<T>(
  schema: ConfigSchema<T>,
  names = "an object with names as keys",
): ConfigSchema<Record<string, T>> {
  return z.record(z.string(), schema, { error: names });
}
