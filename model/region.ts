import { z } from "zod";

/**
 * A region's name. Any is accepted, `us-east-1` too, and what other stores call theirs. `aws-global` is refused: it is the
 * pseudo-region of endpoints without one, and no bucket can be made or signed for there.
 */
export const Region = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/, { error: "expected a region such as eu-central-1" })
  .refine((region) => region !== "aws-global", {
    error: "expected the region of a bucket; aws-global is a pseudo-region that holds none (us-east-1 is its real one)",
  });
