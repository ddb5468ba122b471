import { Readable } from "node:stream";
import { z } from "zod";
import { isAtRest } from "../../../batches/state/status.ts";
import { type ReportRow, ROW_STATUSES } from "../../../batches/report/row.ts";
import type { Identify } from "../../access/identity.ts";
import type { EventStream } from "../../watch/event-stream.ts";
import { ENDS, follow } from "../../watch/follow.ts";
import { abortedWith } from "../../http/request-signal.ts";
import { type ApiRoute, defineRoute } from "../../http/route.ts";
import { type BatchRouteDeps, params, tag, touchesBatch, viewBatch } from "./named-in-path.ts";
import { RowStatusSchema } from "./schemas.ts";

const STATUS = ROW_STATUSES.join("|");

type BatchStreamDeps = BatchRouteDeps & { readonly events: EventStream; readonly identify: Identify };

/** What is sent piece by piece: the report of a batch, and its progress. */
export function batchStreamRoutes(deps: BatchStreamDeps): readonly ApiRoute[] {
  return [reportRoute(deps), progressRoute(deps)];
}

function reportRoute({ batches, views }: BatchRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/batches/:id/report",
    access: "view",
    tag,
    summary: "The report of a batch: a row for each object",
    description:
      "NDJSON, or CSV in the columns of S3 Batch Operations. While the batch runs: the rows of finished chunks. Breaks off where a part is gone.",
    params,
    touches: touchesBatch(batches),
    query: z.object({
      format: z
        .enum(["ndjson", "csv"])
        .default("ndjson")
        .describe("NDJSON, or CSV in the columns of S3 Batch Operations"),
      only: z
        .string()
        .max(200)
        .transform((text) => text.split(","))
        .pipe(z.array(RowStatusSchema))
        .optional()
        .meta({
          description: "Statuses, separated by commas",
          maxLength: 200,
          pattern: `^(${STATUS})(,(${STATUS}))*$`,
        }),
    }),
    answers: { 200: { description: "Rows", type: ["application/x-ndjson", "text/csv"] } },
    plainHead: true,
    handler: async ({ params: { id }, query: { format, only } }, reply) => {
      await viewBatch(views, id);
      const options = { signal: abortedWith(reply), ...(only !== undefined && { only }) };
      const batch = batches.get(id);
      const lines = format === "csv" ? batch.reportCsv(options) : jsonLines(batch.report(options));
      // The first row is read before the answer starts, so that a report that is gone is an error and no empty file.
      const content = await begun(lines);
      return reply
        .type(format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson; charset=utf-8")
        .header("content-disposition", `attachment; filename="batch-${id}.${format}"`)
        .header("cache-control", "no-store")
        .send(Readable.from(inBlocks(content), { objectMode: false }));
    },
  });
}

function progressRoute({ batches, views, events: streams, identify }: BatchStreamDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/batches/:id/events",
    access: "view",
    tag,
    summary: "The progress of a batch, as server-sent events",
    description: `\`progress\` once a second with the batch as in /api/batches/{id}; ${ENDS}`,
    params,
    touches: touchesBatch(batches),
    answers: { 200: { description: "Events", type: "text/event-stream" } },
    plainHead: true,
    handler: async ({ request, params: { id } }, reply) => {
      await viewBatch(views, id);
      return follow({ request, reply, streams, identify }, async () => {
        const view = (await views.live(id))?.batch ?? (await viewBatch(views, id));
        return { view, ended: isAtRest(view.state) };
      });
    },
  });
}

async function* jsonLines(rows: AsyncIterable<ReportRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

/** A million small writes would cost more than the rows themselves. */
const BLOCK_CHARACTERS = 64 * 1024;

async function* inBlocks(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let block = "";
  for await (const line of lines) {
    block += line;
    if (block.length < BLOCK_CHARACTERS) continue;
    yield block;
    block = "";
  }
  if (block !== "") yield block;
}

async function begun(lines: AsyncIterable<string>): Promise<AsyncIterable<string>> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  })();
}
