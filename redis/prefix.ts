import { z } from "zod";

/**
 * What may stand before every key in Redis; one rule for producers, workers and the dashboard, which have to meet under it.
 * A colon would make two prefixes overlap.
 */
export const RedisPrefix = z.string().regex(/^[A-Za-z0-9{][A-Za-z0-9._{}-]{0,63}$/, {
  error:
    "expected 1 to 64 letters, digits, dots, hyphens, underscores, a letter or digit first; in braces for Redis Cluster, such as {bucketline}",
});
