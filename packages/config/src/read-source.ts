import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Problems } from "./problems.ts";
import type { Source } from "./source.ts";

/** More than any configuration needs; what is longer would only take time to parse. */
const MAX_BYTES = 524_288;

/** What is said of a file that cannot be opened. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EACCES: "this process may not read the file",
  EPERM: "this process may not read the file",
  ELOOP: "the symbolic links lead in a circle",
  ENAMETOOLONG: "the path is too long",
  ERR_INVALID_ARG_VALUE: "the path is not valid",
  EISDIR: "is a directory, not a file",
};

/** A file as text. */
export interface SourceText {
  readonly source: Source;
  readonly text: string;
}

/** Reads a file of UTF-8 text, or reports why that is not possible. */
export function readSource(path: string, problems: Problems): SourceText | undefined {
  const file = resolve(path);
  const source: Source = { dialect: "file", file, directory: dirname(file), locate: () => undefined };
  const refuse = (message: string, hint?: string) => {
    problems.report(source, [], { message, hint });
    return undefined;
  };
  try {
    // A pipe would be waited for until somebody writes to it.
    const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const status = fstatSync(descriptor);
      if (status.isDirectory()) return refuse("is a directory, not a file");
      if (!status.isFile()) return refuse("is not a regular file");
      if (status.size > MAX_BYTES) return refuse(`is larger than ${MAX_BYTES} bytes (${status.size} bytes)`);
      const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(descriptor));
      if (text.trim() === "") return refuse("is empty", "write the servers and settings into it");
      return { source, text };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return refuse("is not UTF-8 text", "save it as UTF-8");
    return refuse(REASONS[code] ?? `cannot be read (${code || "unknown reason"})`);
  }
}
