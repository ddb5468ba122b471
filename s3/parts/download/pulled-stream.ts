import { Readable } from "node:stream";

/** Bytes that a stream holds ready for its reader. */
const HIGH_WATER = 256 * 1024;

/**
 * Chunks as a stream, at its reader's pace. Not `Readable.from`: that one ends only after the step that is under way, which may wait for a
 * store that never answers.
 *
 * @param release lets go of what the chunks come from; called once, however the stream ends
 */
export function pulledStream(chunks: AsyncGenerator<Buffer>, release: () => void): Readable {
  const advance = async (): Promise<void> => {
    try {
      const { done, value } = await chunks.next();
      if (!stream.destroyed) stream.push(done === true ? null : value);
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const end = async (): Promise<void> => {
    // Ends when the step under way does; what that came to is of no interest any more.
    await chunks.return(undefined).catch(() => undefined);
  };
  const stream = new Readable({
    highWaterMark: HIGH_WATER,
    read: () => void advance(),
    destroy(error, done) {
      release();
      void end();
      done(error);
    },
  });
  // Whoever reads it sees the error; before anybody does, an error without a listener would end the process.
  stream.on("error", () => undefined);
  return stream;
}
