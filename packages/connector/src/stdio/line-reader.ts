const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

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
    const end = chunk.lastIndexOf(NEWLINE);
    if (end !== -1) {
      // Where all of it is short enough, each line is.
      if (this.#bytes + end <= this.#maxBytes) this.#cut(this.#take(chunk.subarray(0, end)));
      else if (!this.#takeOneByOne(chunk.subarray(0, end + 1))) return this.#overflow();
    }
    if (end + 1 === chunk.length) return true;
    this.#parts.push(chunk.subarray(end + 1));
    this.#bytes += chunk.length - end - 1;
    return this.#bytes <= this.#maxBytes || this.#overflow();
  }

  /** Takes whole lines, up to one that is too long. */
  #takeOneByOne(chunk: Buffer): boolean {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (this.#bytes + end - start > this.#maxBytes) return false;
      this.#cut(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    return true;
  }

  /** Decodes what ends here; to do so once for many lines costs much less than for each. */
  #take(last: Buffer): string {
    // Joined once: joining at every chunk would be quadratic for long lines.
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#bytes = 0;
    return bytes.toString("utf8");
  }

  #cut(text: string): void {
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      this.#onLine(lineOf(text, start, end));
      start = end + 1;
    }
    this.#onLine(lineOf(text, start, text.length));
  }

  #overflow(): false {
    this.#parts = [];
    return false;
  }
}

function lineOf(text: string, start: number, end: number): string {
  return text.slice(start, text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end);
}
