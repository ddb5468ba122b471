import type { Rival } from "./encounter.ts";
import { startBetween } from "./start.ts";

/** Batches that move two buckets into each other, and single moves to and fro, while workers die. */
export const crossing: Rival = {
  name: "crossing moves",
  async run(size, random) {
    await using stack = await startBetween(["here", "there"], size, random);
    const { producer, ledger, keys } = stack;
    const workers = [await stack.startWorker(), await stack.startWorker()];
    const batch = (from: string, to: string) =>
      producer.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    const batches = await Promise.all([batch("here", "there"), batch("there", "here"), batch("here", "there")]);
    const singles = random
      .sample(keys, 20)
      .flatMap((key) => [
        producer.enqueue("move-object", { object: { bucket: "here", key }, destination: { bucket: "there" } }),
        producer.enqueue("move-object", { object: { bucket: "there", key }, destination: { bucket: "here" } }),
      ]);
    await workers[0]?.kill();
    await stack.startWorker();
    await Promise.all(batches.map((one) => one.done()));
    await Promise.allSettled((await Promise.all(singles)).map((job) => job.result({ timeout: 120_000 })));
    const problems = [...ledger.judge(["here", "there"])];
    for (const one of batches) {
      const { listed, succeeded, failed, skipped, unattempted } = await one.status();
      if (listed !== succeeded + failed + skipped + unattempted)
        problems.push(`a batch's account is not whole: ${listed} listed`);
    }
    return problems;
  },
};
