import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { accepts } from "../compressed.ts";

const zip = promisify(gzip);

/** Below it a round trip through the packer costs more than is saved. */
const MIN_LENGTH = 1024;
/** Half of the best ratio for a tenth of its time. */
const LEVEL = 3;

/**
 * Packs JSON for readers who take it. A page of another site could learn from the length of packed answers, were it able to make a
 * browser ask for them: it is not, for requests of other sites carry no cookie and are refused.
 */
export function compressAnswers(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply, payload) => {
    if (typeof payload !== "string" || payload.length < MIN_LENGTH || reply.hasHeader("content-encoding"))
      return payload;
    if (!/json/.test(String(reply.getHeader("content-type")))) return payload;
    reply.header("vary", "accept-encoding");
    if (!accepts(request.headers["accept-encoding"] ?? "", "gzip")) return payload;
    reply.header("content-encoding", "gzip").removeHeader("content-length");
    return zip(payload, { level: LEVEL });
  });
}
