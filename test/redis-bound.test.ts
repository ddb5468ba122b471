import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { createProducer } from "../producer/index.ts";
import { findProgram } from "../sandbox/redis-engine.ts";
import { startServer } from "./faults/redis/server.ts";

const BOUND = /proto-max-bulk-len (\d+mb)/;
const hasServer = findProgram("redis-server", process.env["PATH"] ?? "") !== undefined;

/** BullMQ reads a job whole: what nobody can write, no worker has to hold. */
test.skipIf(!hasServer)(
  "the bound on values that the docs give Redis lets our largest through, and no job of a stranger's size",
  async () => {
    const [docs, compose] = await Promise.all(
      ["docs/production.md", "docker-compose.yml"].map((file) =>
        readFile(new URL(`../${file}`, import.meta.url), "utf8"),
      ),
    );
    const bound = BOUND.exec(docs ?? "")?.[1] ?? "";
    expect([bound, BOUND.exec(compose ?? "")?.[1]]).toEqual(["32mb", "32mb"]);
    const server = await startServer({ "proto-max-bulk-len": bound });
    onTestFinished(() => server.stop());
    const url = `redis://127.0.0.1:${server.port}`;
    const producer = createProducer({ redis: url });
    onTestFinished(() => producer.close());

    // Six bytes of JSON for each of the key's.
    const longest = (n: number) => `${n}`.padStart(1024, "\u0001");
    const items = Array.from({ length: 1000 }, (_, n) => ({
      bucket: "in",
      key: longest(n),
      destinationKey: longest(n),
    }));
    const batch = await producer.batches.start({
      operation: "copy",
      source: { items },
      destination: { bucket: "out" },
    });
    expect((await batch.status()).state).toBe("running");

    const stranger = new Redis(url, { retryStrategy: () => null });
    onTestFinished(() => stranger.disconnect());
    stranger.on("error", () => {});
    const huge = "a".repeat(40 * 1024 * 1024);
    await expect(stranger.hset("bucketline:head-bucket:huge", { data: huge })).rejects.toThrow(
      /clos|ECONNRESET|EPIPE|Protocol error/i,
    );
  },
);
