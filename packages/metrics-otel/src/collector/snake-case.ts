/** How the keys of metrics are spelled. */
export type KeySpelling = "camelCase" | "snake_case";

type SnakeKey<Key extends string> = Key extends `${infer First}${infer Rest}`
  ? `${First extends Uppercase<First> ? (First extends Lowercase<First> ? First : `_${Lowercase<First>}`) : First}${SnakeKey<Rest>}`
  : Key;

/** A type with its keys in snake_case, all the way down; keys that are names, such as those of servers, stay as they are. */
export type SnakeCase<T> = T extends readonly (infer Item)[]
  ? readonly SnakeCase<Item>[]
  : T extends object
    ? {
        readonly [Key in keyof T as Key extends string ? (string extends Key ? Key : SnakeKey<Key>) : Key]: SnakeCase<
          T[Key]
        >;
      }
    : T;

/** Keys whose values have names as keys, which are not ours to spell. */
const NAMED: ReadonlySet<string> = new Set(["servers", "tools"]);

/** Spells all keys in snake_case. */
export function snakeCase<T>(value: T): SnakeCase<T> {
  return respell(value, false) as SnakeCase<T>;
}

function respell(value: unknown, hasNames: boolean): unknown {
  if (Array.isArray(value)) return value.map((each) => respell(each, false));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, own]) => {
      return hasNames
        ? [key, respell(own, false)]
        : [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), respell(own, NAMED.has(key))];
    }),
  );
}
