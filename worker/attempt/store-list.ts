import type { z } from "zod";
import type { DocumentPointer } from "../../model/entities.ts";
import type { DocumentStore } from "../../documents/interface.ts";

/** Return values enter BullMQ's event stream and stay in Redis with the job: above this a list becomes a document. */
const INLINE_BYTES = 16 * 1024;

type Options = {
  readonly name: string;
  readonly entity: z.ZodType;
  readonly documents: DocumentStore;
  readonly documentName: string;
  /** Seconds. */
  readonly ttl: number;
  readonly signal: AbortSignal;
};

/** Stores a list as it comes, inline or as an NDJSON document; memory does not grow with it. */
export async function storeList(pages: AsyncIterable<readonly unknown[]>, options: Options) {
  const lines = encode(pages, options.entity);
  const inline: unknown[] = [];
  const held: string[] = [];
  let bytes = 0;
  // Not `for await`: leaving that early would end the generator, and the rest of the list with it.
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    inline.push(next.value.entity);
    held.push(next.value.line);
    bytes += Buffer.byteLength(next.value.line);
    if (bytes > INLINE_BYTES) return spill(held, lines, options);
  }
  return { count: inline.length, [options.name]: inline };
}

type Line = { readonly entity: unknown; readonly line: string };

async function* encode(pages: AsyncIterable<readonly unknown[]>, entity: z.ZodType): AsyncGenerator<Line> {
  for await (const page of pages)
    for (const item of page) {
      const parsed = entity.parse(item);
      yield { entity: parsed, line: `${JSON.stringify(parsed)}\n` };
    }
}

async function spill(
  held: readonly string[],
  rest: AsyncGenerator<Line>,
  { documents, documentName, ttl, signal }: Options,
): Promise<{ count: number; document: DocumentPointer }> {
  let count = held.length;
  async function* all() {
    yield held.join("");
    for await (const { line } of rest) {
      count += 1;
      yield line;
    }
  }
  const document = await documents.write(all(), {
    name: documentName,
    contentType: "application/x-ndjson",
    deleteAfterDownload: false,
    ttl,
    signal,
  });
  return { count, document };
}
