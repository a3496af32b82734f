import { nextTick } from "node:process";
import type { Writable } from "node:stream";

/** Who has a line written. */
export interface LineOwner {
  /** Whether the line is still to be written; asked just before. */
  readonly isOpen: boolean;
  /** Set just before the first byte may leave. */
  sent: boolean;
}

/** Nothing of the message reached the server as a whole line, so it cannot have run. */
export class NotWritten extends Error {
  override readonly name: string = "NotWritten";
}

/** How much may wait for the end of the tick, in UTF-16 units. */
const MAX_WAITING = 65_536;

/**
 * Writes lines to the stdin of a process, in their order. Those of one tick go out together at its end: one system call
 * costs us, and the process that reads them, much less than one for each.
 */
export class LineWriter<Owner extends LineOwner> {
  readonly #stream: Writable;
  readonly #onSettled: (owner: Owner, error: Error | undefined) => void;
  #lines: string[] = [];
  #owners: Owner[] = [];
  #length = 0;
  #isScheduled = false;
  readonly #onTickEnd = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  /** @param onSettled Called once for each line that its owner has left open: when it is written, or has failed. */
  constructor(stream: Writable, onSettled: (owner: Owner, error: Error | undefined) => void) {
    this.#stream = stream;
    this.#onSettled = onSettled;
  }

  /** Has a line written, its line end included. */
  push(line: string, owner: Owner): void {
    this.#lines.push(line);
    this.#owners.push(owner);
    this.#length += line.length;
    if (this.#length > MAX_WAITING) this.flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      nextTick(this.#onTickEnd);
    }
  }

  /** Writes what waits, now. */
  flush(): void {
    if (this.#owners.length === 0) return;
    const { owners, text } = this.#take();
    if (owners.length === 0) return;
    const stream = this.#stream;
    if (!stream.writable) {
      this.#fail(owners, new NotWritten("the server's stdin is closed"), owners.length);
      return;
    }
    for (const owner of owners) owner.sent = true;
    const isAlone = stream.writableLength === 0;
    let hasFailedAtOnce = false;
    stream.write(text, (error) => {
      if (error === undefined || error === null) for (const owner of owners) this.#onSettled(owner, undefined);
      // The operating system has refused all of it. Of what fails later a part may have arrived, yet not the end of the
      // last line; unless it went out with what was buffered before, of which nobody knows.
      else this.#fail(owners, error, hasFailedAtOnce ? owners.length : isAlone ? 1 : 0);
    });
    // The callback never comes before this.
    hasFailedAtOnce = stream.errored !== null;
  }

  /** Fails what waits. */
  drop(cause: Error | undefined): void {
    if (this.#owners.length === 0) return;
    const { owners } = this.#take();
    this.#fail(owners, new NotWritten("the server's stdin is closed", { cause }), owners.length);
  }

  /** Takes what waits and is still wanted. */
  #take(): { readonly owners: readonly Owner[]; readonly text: string } {
    const lines = this.#lines;
    const owners = this.#owners;
    this.#lines = [];
    this.#owners = [];
    this.#length = 0;
    if (owners.every(isOpen)) return { owners, text: lines.length === 1 ? (lines[0] ?? "") : lines.join("") };
    return { owners: owners.filter(isOpen), text: lines.filter((_, index) => owners[index]?.isOpen).join("") };
  }

  /** @param unwritten how many, from the last one on, have not arrived for certain */
  #fail(owners: readonly Owner[], error: Error, unwritten: number): void {
    const notWritten =
      error instanceof NotWritten ? error : new NotWritten("writing to the server's stdin failed", { cause: error });
    for (const [index, owner] of owners.entries()) {
      this.#onSettled(owner, index < owners.length - unwritten ? error : notWritten);
    }
  }
}

function isOpen(owner: LineOwner): boolean {
  return owner.isOpen;
}
