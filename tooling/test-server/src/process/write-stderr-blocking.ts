import { writeSync } from "node:fs";

/**
 * Writes to stderr and waits while the pipe is full, as servers in other languages do.
 *
 * `process.stderr` would buffer without end where nobody reads, and the pipe Node gives its children does not block by itself.
 */
export function writeStderrBlocking(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSome(rest));
}

function writeSome(bytes: Uint8Array): number {
  try {
    return writeSync(2, bytes);
  } catch (error) {
    const isFull = error instanceof Error && "code" in error && error.code === "EAGAIN";
    if (!isFull) throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}
