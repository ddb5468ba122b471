import { z } from "zod";

export const SessionSchema = z
  .object({
    signedIn: z.boolean().describe("Whether the caller is anybody"),
    name: z.string().optional().describe("Name of the caller"),
    role: z.enum(["viewer", "operator"]).optional().describe("What the caller may do"),
    canOperate: z.boolean().describe("Whether this caller may change anything"),
    canSignOut: z.boolean().describe("Whether there is a session to end"),
    environment: z.string().optional().describe("What is run here, such as production"),
    readOnly: z.boolean().describe("Whether this dashboard lets nobody change anything"),
  })
  .meta({ id: "Session", description: "Who the server takes the caller for" });
