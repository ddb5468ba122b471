import { z } from "zod";
import { defineContract, withCredentials } from "../contract.ts";

/** Proves that credentials are accepted: by STS where there is one, else by listing buckets. */
export const validateCredentials = defineContract({
  name: "validate-credentials",
  summary: "Check that credentials are accepted",
  input: z.strictObject(withCredentials),
  result: z.strictObject({
    success: z.literal(true),
    account: z.string().optional(),
    arn: z.string().optional(),
  }),
  access: ({ credentials }) => [{ credentials }],
});
