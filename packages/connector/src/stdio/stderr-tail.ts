import { StringDecoder } from "node:string_decoder";

const MAX_LINES = 20;
const MAX_LINE_LENGTH = 1_000;
/** A line is cut only after secrets are blotted out, so it is kept longer than it is shown. */
const MAX_PARTIAL_LENGTH = 16_384;
/** Shorter values, such as "1" or "true", are no secrets, and would blot out half of the text. */
const MIN_SECRET_LENGTH = 6;

/** Keeps the last lines a process wrote to stderr, with secrets blotted out. */
export class StderrTail {
  readonly #decoder = new StringDecoder("utf8");
  readonly #secrets: readonly string[];
  readonly #lines: string[] = [];
  #partial = "";

  /** @param secrets Values that must not be shown; a value of several lines is hidden line by line. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets
      .flatMap((secret) => secret.split(/\r?\n/))
      .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
      .toSorted((a, b) => b.length - a.length);
  }

  /** Returns the lines that the chunk has completed, as they are shown; of many, the last ones. */
  push(chunk: Buffer): readonly string[] {
    const lines = (this.#partial + this.#decoder.write(chunk)).split(/\r?\n/);
    this.#partial = (lines.pop() ?? "").slice(-MAX_PARTIAL_LENGTH);
    const shown = lines
      .slice(-MAX_LINES)
      .filter((line) => line.trim() !== "")
      .map((line) => this.#show(line));
    this.#lines.push(...shown);
    this.#lines.splice(0, this.#lines.length - MAX_LINES);
    return shown;
  }

  /** Returns the last lines, the unfinished one included. */
  lines(): readonly string[] {
    const partial = this.#partial.trim() === "" ? [] : [this.#show(this.#partial)];
    return [...this.#lines, ...partial].slice(-MAX_LINES);
  }

  /** Blots the secrets out of a text and cuts it to the length of a line. */
  #show(text: string): string {
    const shown = this.redact(text);
    return shown.length > MAX_LINE_LENGTH ? `${shown.slice(0, MAX_LINE_LENGTH)}…` : shown;
  }

  redact(text: string): string {
    let redacted = text;
    for (const secret of this.#secrets) redacted = redacted.replaceAll(secret, "[redacted]");
    return redacted;
  }
}
