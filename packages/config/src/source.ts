/** Keys and indexes from the top of a document to a value. */
export type Path = readonly (string | number)[];

/** A place in a text, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where values come from: a file, or code. */
export interface Source {
  /** Files may use snake_case, seconds and times with units; code may not. */
  readonly dialect: "file" | "code";
  readonly file?: string | undefined;
  /** What relative paths are relative to. */
  readonly directory: string;
  /** Finds a value, or what is nearest above it. With `key`, its key is found. */
  locate(path: Path, part?: "key" | "value"): Position | undefined;
}

/** Values that code passed in. */
export const CODE: Source = { dialect: "code", directory: process.cwd(), locate: () => undefined };

/** A document that could be parsed. */
export interface ConfigDocument {
  readonly source: Source;
  readonly value: unknown;
}

/** Whether a value is an object with keys of its own, and nothing else. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
