import { z } from "zod";
import { batchFields, destinationOf } from "../../spec/fields.ts";
import { defineVerb } from "../verb.ts";

/** Copies each object, proves the copy, and deletes the source only then. */
export const move = defineVerb({
  spec: z
    .strictObject({
      operation: z.literal("move").meta({ description: "What is done to each object" }),
      ...batchFields,
      destination: destinationOf("move"),
    })
    .meta({ id: "MoveBatch", description: "Copies each object, proves the copy, and deletes the source only then" }),
  title: "Move",
  hint: "A source is deleted once its copy is proven",
  access: "move-object",
  source: { ends: "deleted", lease: "deletes" },
  destination: { lease: "writes" },
  rewrites: false,
  // Its source was not deleted; the next batch need not take the copy for somebody else's.
  retry: ({ etag, verified }) => (etag !== undefined && verified !== undefined ? { copied: { etag, verified } } : {}),
  load: () => import("./operation.ts"),
});
