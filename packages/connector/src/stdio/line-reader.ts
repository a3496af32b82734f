const NEWLINE = 0x0a;

/** Cuts a byte stream into lines, each without its line end, and bounds the length of a line. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Returns false when the line under way has become too long; the reader is of no use from then on. */
  push(chunk: Buffer): boolean {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (this.#bytes + end - start > this.#maxBytes) return this.#overflow();
      this.#onLine(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start === chunk.length) return true;
    this.#parts.push(chunk.subarray(start));
    this.#bytes += chunk.length - start;
    return this.#bytes <= this.#maxBytes || this.#overflow();
  }

  #take(last: Buffer): string {
    // Joined once per line: joining at every chunk would be quadratic for long lines.
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#bytes = 0;
    const line = bytes.toString("utf8");
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }

  #overflow(): false {
    this.#parts = [];
    return false;
  }
}
