import type { FastifyReply } from "fastify";

/** Aborts when the asker is gone: nobody is left to answer. */
export function abortedWith(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort(new Error("the asker is gone"));
  });
  return controller.signal;
}
