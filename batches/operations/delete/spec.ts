import { z } from "zod";
import { batchFields, noDestination } from "../../spec/fields.ts";
import { defineVerb } from "../verb.ts";

/** Deletes each object, as long as it is the one that was seen. Takes away what it is told to, whoever made it, so it leases nothing. */
export const remove = defineVerb({
  spec: z
    .strictObject({
      operation: z.literal("delete").meta({ description: "What is done to each object" }),
      ...batchFields,
      destination: noDestination("delete"),
    })
    .meta({ id: "DeleteBatch", description: "Deletes each object, as long as it is the one that was seen" }),
  title: "Delete",
  hint: "Objects are gone",
  access: "delete-object",
  source: { ends: "deleted" },
  rewrites: false,
  // Keeps to what was meant.
  retry: ({ etag }) => (etag === undefined ? {} : { etag }),
  load: () => import("./operation.ts"),
});
