import { z } from "zod";
import { defineContract, success, withCredentials } from "../contract.ts";

/** Proves that credentials are accepted: by STS where there is one, else by listing buckets. */
export const validateCredentials = defineContract({
  name: "validate-credentials",
  summary: "Check that credentials are accepted",
  input: z.strictObject(withCredentials),
  result: z.strictObject({
    success,
    account: z.string().optional().meta({ description: "Number of the account, where the store has an STS" }),
    arn: z.string().optional().meta({ description: "Who the credentials are, where the store has an STS" }),
  }),
  access: ({ credentials }) => [{ credentials }],
});
