import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished } from "vitest";
import { startDeadline } from "../../redis/deadline.ts";
import { createS3 } from "../../s3/create.ts";
import type { Pin } from "../../s3/interface.ts";
import { startHarness, test } from "../../test/harness.ts";
import { connectionTo } from "../../test/open-s3.ts";
import type { Hold, JobContext } from "../handler.ts";
import { parseInput } from "../parse-input.ts";
import { moveObject } from "./contract.ts";
import { moveObjectHandler } from "./handler.ts";

const OLD = new Date(Date.now() - 3_600_000);

/** What a move must not do, whatever happens around it: each rule has a test that turns red without it. */
/** A worker of a store that ignores conditions, with the bucket `in`. */
async function startWhereIgnored(finish: (close: () => Promise<void>) => void) {
  const harness = await startHarness({
    sandbox: { enforceConditions: false },
    profile: { conditionalDelete: false, conditionalCopy: false, conditionalWrite: false },
  });
  finish(harness.close);
  harness.sandbox.createBucket("in");
  return harness;
}

describe("a move", () => {
  test("keeps a source that was written anew with the same bytes, where conditions are ignored and where they are enforced", async ({
    onTestFinished: finish,
  }) => {
    for (const enforced of [true, false]) {
      const { run, sandbox, close } = await startHarness({
        sandbox: { enforceConditions: enforced },
        profile: { conditionalDelete: enforced, conditionalCopy: enforced },
      });
      finish(close);
      sandbox.createBucket("in");
      sandbox.put("in", "a", "same", { lastModified: OLD, metadata: { state: "draft" } });
      sandbox.after("CopyObject", () => void sandbox.put("in", "a", "same", { metadata: { state: "approved" } }));
      const move = run("move-object", { object: { bucket: "in", key: "a" }, destination: { bucket: "in", key: "b" } });
      await expect(move).rejects.toMatchObject({ code: "SourceChanged" });
      expect(sandbox.object("in", "a")?.metadata).toEqual({ state: "approved" });
    }
  });

  test("refuses to cross another one where it should not wait, and goes after it where it should", async ({
    sandbox,
    run,
  }) => {
    for (const bucket of ["here", "there"]) sandbox.createBucket(bucket);
    sandbox.put("here", "x", "the only copy", { lastModified: OLD });
    const move = (from: string, to: string, onOverlap: "wait" | "fail") =>
      run("move-object", { object: { bucket: from, key: "x" }, destination: { bucket: to }, onOverlap });
    let back: Promise<unknown> | undefined;
    const remove = sandbox.before("DeleteObject", async () => {
      if (back !== undefined) return;
      await expect(move("there", "here", "fail")).rejects.toMatchObject({ code: "Overlap", retryable: false });
      back = move("there", "here", "wait");
    });
    await move("here", "there", "wait");
    remove();
    await back;
    expect([sandbox.text("here", "x"), sandbox.text("there", "x")]).toEqual(["the only copy", undefined]);
  });

  test("leaves alone what others copy to, where a look alone keeps what is there; so does a batch", async ({
    onTestFinished: finish,
  }) => {
    const { run, sandbox, producer } = await startWhereIgnored(finish);
    sandbox.createBucket("out");
    for (let i = 0; i < 20; i++) sandbox.put("in", `k${i}`, `content ${i}`, { lastModified: OLD });
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const remove = sandbox.before("CopyObject", async () => {
      begun.resolve();
      await goOn.promise;
    });
    const destination = { bucket: "out" };
    const first = await producer.batches.start({ operation: "copy", source: { bucket: "in" }, destination });
    await begun.promise;
    const refused = { code: "Overlap", message: expect.stringContaining(first.id) };
    const object = { bucket: "in", key: "k1" };
    for (const onConflict of ["skip", "fail"] as const) {
      const quietly = { onConflict, onOverlap: "fail" } as const;
      const job = run("move-object", { object, destination: { bucket: "out", key: "k2" }, ...quietly });
      await expect(job).rejects.toMatchObject(refused);
      const source = { items: [object] };
      const batch = await producer.batches.start({ operation: "copy", source, destination, ...quietly });
      await expect(batch.done()).rejects.toMatchObject(refused);
    }
    goOn.resolve();
    remove();
    expect(await first.done()).toMatchObject({ succeeded: 20 });
  });

  test("lets no two contents meet at one destination that it should not overwrite, where conditions are ignored", async ({
    onTestFinished: finish,
  }) => {
    const { run, sandbox } = await startWhereIgnored(finish);
    for (const key of ["a", "b"]) sandbox.put("in", key, `content of ${key}`, { lastModified: OLD });
    const move = (key: string) =>
      run("move-object", {
        object: { bucket: "in", key },
        destination: { bucket: "in", key: "c" },
        onConflict: "fail",
      });
    const results = await Promise.allSettled([move("a"), move("b")]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    // Somebody who does not ask us, just after the pin's own look.
    sandbox.put("in", "f", "content of f", { lastModified: OLD });
    let looks = 0;
    sandbox.before("HeadObject", ({ key }) => {
      if (key === "g" && ++looks === 2) sandbox.put("in", "g", "somebody else's");
    });
    const late = run("move-object", {
      object: { bucket: "in", key: "f" },
      destination: { bucket: "in", key: "g" },
      onConflict: "fail",
    });
    await expect(late).rejects.toMatchObject({ code: "DestinationExists" });
    expect([sandbox.text("in", "f"), sandbox.text("in", "g")]).toEqual(["content of f", "somebody else's"]);
    // Between a copy that was cut off and its repetition.
    sandbox.put("in", "h", "content of h", { lastModified: OLD });
    const cut = sandbox.after("CopyObject", () => {
      cut();
      sandbox.put("in", "i", "somebody else's");
    });
    sandbox.fault({ kind: "reset-after", operation: "CopyObject", key: "i", times: 1 });
    const again = run("move-object", {
      object: { bucket: "in", key: "h" },
      destination: { bucket: "in", key: "i" },
      onConflict: "fail",
    });
    await expect(again).rejects.toMatchObject({ code: "DestinationExists" });
    expect([sandbox.text("in", "h"), sandbox.text("in", "i")]).toEqual(["content of h", "somebody else's"]);
    sandbox.put("in", "d", "content of d", { lastModified: OLD });
    sandbox.after("CopyObject", ({ key }) => void (key === "e" && sandbox.put("in", "e", "somebody else's")));
    const lost = run("move-object", {
      object: { bucket: "in", key: "d" },
      destination: { bucket: "in", key: "e" },
      onConflict: "skip",
    });
    await expect(lost).rejects.toMatchObject({ code: "DestinationChanged" });
    expect(sandbox.text("in", "d")).toBe("content of d");
  });

  test("lets no move come between a copy's look and the copy itself, where conditions are ignored", async ({
    onTestFinished: finish,
  }) => {
    const { run, sandbox } = await startWhereIgnored(finish);
    for (const key of ["f", "j"]) sandbox.put("in", key, `content of ${key}`, { lastModified: OLD });
    let met: unknown;
    const copying = sandbox.before("CopyObject", async () => {
      copying();
      const moved = { object: { bucket: "in", key: "j" }, destination: { bucket: "in", key: "k" } };
      met = await run("move-object", { ...moved, onConflict: "fail", onOverlap: "fail" }).catch(
        (error: unknown) => (error as { code: string }).code, // an ActivityError
      );
    });
    const copy = { object: { bucket: "in", key: "f" }, destination: { bucket: "in", key: "k" } };
    await run("copy-object", { ...copy, onConflict: "fail" });
    expect([met, sandbox.text("in", "j")]).toEqual(["Overlap", "content of j"]);
  });

  test("does not copy again over what others wrote between two attempts, where conditions are ignored", async ({
    onTestFinished: finish,
  }) => {
    const { run, sandbox } = await startWhereIgnored(finish);
    sandbox.put("in", "a", "content of a", { lastModified: OLD });
    const remove = sandbox.after("CopyObject", () => {
      remove();
      sandbox.put("in", "b", "somebody else's");
      // The first attempt ends before it can look at its copy.
      sandbox.fault({ kind: "status", operation: "HeadObject", key: "b", times: 3 });
    });
    const move = run("move-object", {
      object: { bucket: "in", key: "a" },
      destination: { bucket: "in", key: "b" },
      onConflict: "fail",
    });
    await expect(move).rejects.toMatchObject({ code: "DestinationExists" });
    expect([sandbox.text("in", "a"), sandbox.text("in", "b")]).toEqual(["content of a", "somebody else's"]);
  });

  test("keeps its objects to itself where a delete had no answer, although another one succeeded", async ({
    sandbox,
    run,
  }) => {
    for (const bucket of ["cut", "off"]) sandbox.createBucket(bucket);
    sandbox.put("cut", "x", "the only copy", { lastModified: OLD });
    sandbox.fault({ kind: "reset", operation: "DeleteObject", bucket: "cut", times: 1 });
    await run("move-object", { object: { bucket: "cut", key: "x" }, destination: { bucket: "off" } });
    const back = { object: { bucket: "off", key: "x" }, destination: { bucket: "cut" }, onOverlap: "fail" } as const;
    // The delete without an answer may come yet, and the ETag of what comes back would meet its condition.
    await expect(run("move-object", back)).rejects.toMatchObject({ code: "Overlap" });
    expect([sandbox.keys("cut"), sandbox.text("off", "x")]).toEqual([[], "the only copy"]);
  });

  test("finds one object under two names, and keeps it", async ({ onTestFinished: finish }) => {
    const { run, sandbox, close } = await startHarness({ profiles: { other: {} } });
    finish(close);
    sandbox.createBucket("in");
    sandbox.put("in", "a", "the only copy", { lastModified: OLD });
    const object = { bucket: "in", key: "a" };
    const move = run("move-object", { object, destination: { bucket: "in", credentials: "other" } });
    await expect(move).rejects.toMatchObject({ code: "SameObject" });
    expect(sandbox.text("in", "a")).toBe("the only copy");
  });

  test("does not rename an object onto itself where the store takes two keys for one", async ({
    onTestFinished: finish,
  }) => {
    const { run, sandbox, close } = await startHarness({ sandbox: { quirks: { foldedKeys: ["case", "slashes"] } } });
    finish(close);
    sandbox.createBucket("in");
    // As old as can be, and of this very second: then no date tells whether the copy replaced it.
    for (const lastModified of [OLD, new Date()]) {
      sandbox.put("in", "Report.csv", "the only copy", { lastModified });
      const object = { bucket: "in", key: "Report.csv" };
      const move = run("move-object", { object, destination: { bucket: "in", key: "report.csv" } });
      await expect(move).rejects.toMatchObject({ code: "SameObject" });
      expect(sandbox.text("in", "Report.csv")).toBe("the only copy");
    }
  });

  test("remembers its proof before it deletes, so that a copy with another ETag is known again when the source is gone", async ({
    sandbox,
    run,
  }) => {
    sandbox.createBucket("proof");
    sandbox.put("proof", "a", "x", { etag: `${"0".repeat(32)}-2`, lastModified: OLD });
    // The source goes, its answer is lost, and nobody can look until the next attempt.
    sandbox.fault({ operation: "DeleteObject", bucket: "proof", kind: "reset-after", times: 1 });
    const remove = sandbox.after("DeleteObject", () => {
      remove();
      sandbox.fault({ operation: "HeadObject", bucket: "proof", kind: "status", status: 500, times: 4 });
    });
    const moved = await run("move-object", {
      object: { bucket: "proof", key: "a" },
      destination: { bucket: "proof", key: "b" },
    });
    expect(moved).toMatchObject({ success: true, verified: "checksum" });
    expect(sandbox.keys("proof")).toEqual(["b"]);
  });

  test("deletes nothing once its worker has not heard from Redis for too long", async ({ sandbox }) => {
    sandbox.createBucket("late");
    sandbox.put("late", "a", "content", { lastModified: OLD });
    const s3 = createS3(connectionTo(sandbox));
    onTestFinished(() => s3.close());
    const sentAt = performance.now() - 600;
    const deadline = { ...startDeadline({ lockMs: 1000, sentAt, name: "job" }), deletes: new AbortController().signal };
    const context = {
      s3,
      destination: s3,
      deadline,
      progress: () => () => {},
      evidence: {
        pinOnce: async (make: () => Promise<Pin>) => await make(),
        copied: async () => undefined,
        recordCopy: async () => {},
        survives: async () => {},
      },
      exclusively: async (_: unknown, work: (deletes: AbortSignal, hold: Hold) => Promise<unknown>) =>
        await work(new AbortController().signal, { keep: () => undefined, confirm: () => Promise.resolve() }),
      signal: new AbortController().signal,
    };
    const input = parseInput(moveObject, {
      object: { bucket: "late", key: "a" },
      destination: { bucket: "late", key: "b" },
    });
    // All that the handler uses of its context.
    const move = moveObjectHandler.run(input, context as unknown as JobContext);
    await expect(move).rejects.toMatchObject({ code: "LockLost", retryable: true });
    expect(sandbox.keys("late")).toEqual(["a", "b"]);
  });

  test("starts with a new pin where somebody retries it after its source had changed", async ({ harness, sandbox }) => {
    sandbox.createBucket("again");
    sandbox.put("again", "a", "older", { lastModified: OLD });
    const remove = sandbox.after("CopyObject", () => void sandbox.put("again", "a", "newer"));
    const { producer, prefix, config } = harness;
    const job = await producer.enqueue("move-object", {
      object: { bucket: "again", key: "a" },
      destination: { bucket: "again", key: "b" },
    });
    await expect(job.result({ timeout: 15_000 })).rejects.toMatchObject({ code: "SourceChanged" });
    remove();
    const connection = new Redis(config.redis, { maxRetriesPerRequest: null });
    const queue = new Queue("move-object", { connection, prefix });
    onTestFinished(async () => {
      await queue.close();
      connection.disconnect();
    });
    await (await queue.getJob(job.id))?.retry("failed");
    await expect.poll(() => job.state(), { timeout: 15_000 }).toBe("completed");
    expect([sandbox.text("again", "a"), sandbox.text("again", "b")]).toEqual([undefined, "newer"]);
  });
});
