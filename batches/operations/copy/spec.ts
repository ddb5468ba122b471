import { z } from "zod";
import { batchFields, destinationOf } from "../../spec/fields.ts";
import { defineVerb } from "../verb.ts";

/** Copies each object to its destination, and proves the copy. */
export const copy = defineVerb({
  spec: z
    .strictObject({
      operation: z.literal("copy").meta({ description: "What is done to each object" }),
      ...batchFields,
      destination: destinationOf("copy"),
    })
    .meta({ id: "CopyBatch", description: "Copies each object to its destination, and proves the copy" }),
  title: "Copy",
  hint: "Sources stay",
  access: "copy-object",
  source: { ends: "kept" },
  destination: { lease: "writes" },
  rewrites: true,
  retry: () => ({}),
  load: () => import("./operation.ts"),
});
