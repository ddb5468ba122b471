import { z } from "zod";

/** How long a version must stay, in a bucket with Object Lock. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html */
export const ObjectLock = z
  .strictObject({
    mode: z.enum(["GOVERNANCE", "COMPLIANCE"]).optional().meta({
      description: "Who may shorten the retention: some (GOVERNANCE), nobody (COMPLIANCE). Together with `retainUntil`",
    }),
    retainUntil: z.iso.datetime({ offset: true }).optional().meta({ description: "Until when the version must stay" }),
    legalHold: z.boolean().optional().meta({ description: "Held until somebody lifts it, whatever the date" }),
  })
  .refine(({ mode, retainUntil }) => (mode === undefined) === (retainUntil === undefined), {
    error: "expected mode and retainUntil together",
  })
  .meta({
    id: "ObjectLock",
    description: "How long the version must stay, in a bucket with Object Lock",
    dependentRequired: { mode: ["retainUntil"], retainUntil: ["mode"] },
  });
export type ObjectLock = z.infer<typeof ObjectLock>;
