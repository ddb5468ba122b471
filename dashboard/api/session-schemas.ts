import { z } from "zod";

export const SessionSchema = z.object({
  signedIn: z.boolean(),
  name: z.string().optional(),
  role: z.enum(["viewer", "operator"]).optional(),
  /** Whether this caller may change anything. */
  canOperate: z.boolean(),
  /** Whether there is a session to end. */
  canSignOut: z.boolean(),
  readOnly: z.boolean(),
});
