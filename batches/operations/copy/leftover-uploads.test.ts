import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { openS3 } from "../../../test/open-s3.ts";
import { redisUrl, uniquePrefix } from "../../../test/fixtures.ts";
import { createBatchStore } from "../../state/store.ts";
import { createChunkStore } from "../../state/chunk-store.ts";
import { uploadMemory } from "./leftover-uploads.ts";
import { Superseded } from "../../run/work.ts";

const PART = 64 * 1024;

test("a delivery that lost its chunk leaves no upload behind that nobody knows of", async () => {
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const store = createBatchStore(redis, uniquePrefix());
  const ref = { batch: "b", chain: 0, n: 0 };
  const manifest = Buffer.alloc(0);
  const delivery = { ref, owner: "1.1", state: "running", manifest, conflicts: undefined, checkpoints: [] } as const;
  await redis.hset(store.keys.chunk("b", "0-0"), "o", "1.2");
  const { sandbox, s3, pin } = await openS3({
    sandbox: { minPartSize: PART },
    connection: { multipartThreshold: PART },
    s3: { copyPartSize: PART },
  });
  sandbox.put("in", "a", Buffer.alloc(2 * PART));
  const upload = uploadMemory({ chunks: createChunkStore(store), delivery }, 0, false);
  const copy = s3.copy(
    { source: pin("in", "a"), bucket: "out", key: "b", upload },
    { signal: AbortSignal.timeout(10_000) },
  );
  await expect(copy).rejects.toBeInstanceOf(Superseded);
  expect(sandbox.counts.CreateMultipartUpload).toBe(1);
  expect(sandbox.uploads()).toEqual([]);
});
