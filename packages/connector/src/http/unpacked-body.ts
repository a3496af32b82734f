import { finished, type Transform } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { AnswerSink } from "./own-post.ts";

const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = constants;

/** Hand on what is there, without waiting for more; a stream of events pauses. */
const FLUSH = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH };

const UNPACKERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(FLUSH),
  "x-gzip": () => createGunzip(FLUSH),
  deflate: () => createInflate(FLUSH),
  br: () => createBrotliDecompress({ flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH }),
};

/** Returns what unpacks a body for a sink that was told of the head; where nobody knows how, the body stays as it is. */
export function unpackedInto(sink: AnswerSink, encoding: string): AnswerSink {
  const makeUnpacker = UNPACKERS[encoding.trim().toLowerCase()];
  if (makeUnpacker === undefined) return sink;
  const unpacker = makeUnpacker();
  let failure: Error | undefined;
  unpacker.on("data", (chunk: Buffer) => sink.data(chunk));
  finished(unpacker, (error) => {
    const reason = error ?? failure;
    if (reason) sink.fail(reason);
    else sink.end();
  });
  return {
    start: () => {},
    head: () => {},
    data: (chunk) => void (unpacker.destroyed || unpacker.write(chunk)),
    end: () => void unpacker.end(),
    // What had arrived is unpacked first: it may hold the answer.
    fail(error) {
      failure = error;
      unpacker.end();
    },
  };
}
