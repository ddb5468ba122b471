import type { ResultOf } from "../contract.ts";
import { defineHandler } from "../handler.ts";
import { validateCredentials } from "./contract.ts";

export const validateCredentialsHandler = defineHandler(
  validateCredentials,
  async (_input, { s3, signal }): Promise<ResultOf<typeof validateCredentials>> => ({
    success: true,
    ...(await s3.callerIdentity({ signal })),
  }),
);
