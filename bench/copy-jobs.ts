import { Queue } from "bullmq";
import { alternate } from "./alternate.ts";
import type { Benchmark } from "./benchmark.ts";
import { drainRate } from "./drain-queue.ts";
import { openLab } from "./lab.ts";
import { startPlainWorker } from "./plain-worker.ts";
import { cpuMs } from "./process-usage.ts";
import { median, pairedRatio } from "./statistics.ts";

const CONCURRENCY = 64;

/** Many copy-object jobs that wait already: what one worker process gets done. */
export const copyJobs: Benchmark = {
  name: "copy-jobs",
  title: "copy-object jobs",
  async run(context) {
    const { quick, say, stack } = context;
    const rounds = quick ? 3 : 7;
    const count = quick ? 1500 : 4000;
    const lab = await openLab(context);
    const { control } = lab.server;
    await control.createBucket("in");
    await control.generate("in", { count });
    await control.createBucket("out", { sink: true });
    const worker = await lab.worker({ concurrency: { "copy-object": CONCURRENCY } });
    const producer = lab.producer();
    const plain = await startPlainWorker(lab, { concurrency: CONCURRENCY });
    const queue = new Queue("copy-object", { connection: lab.connect(), prefix: "bench" });
    stack.defer(() => queue.close());

    const keys = Array.from({ length: count }, (_, index) => `${String(index).padStart(9, "0")}.bin`);
    let run = 0;
    const ours = () => {
      const prefix = `ours-${run++}/`;
      const inputs = keys.map((key) => ({
        object: { bucket: "in", key },
        destination: { bucket: "out", key: prefix + key },
      }));
      return timed(worker.pid, count, () => drainRate(queue, count, () => producer.enqueueMany("copy-object", inputs)));
    };
    const theirs = () => {
      const prefix = `plain-${run++}/`;
      const jobs = keys.map((key) => ({
        name: "copy",
        data: { what: "copy" as const, bucket: "in", key, destination: { bucket: "out", key: prefix + key } },
      }));
      return timed(plain.pid, count, () => drainRate(plain.queue, count, () => plain.queue.addBulk(jobs)));
    };
    say("warming up");
    await ours();
    await theirs();
    const before = (await control.state()).counts;
    const samples = await alternate(rounds, { ours, theirs }, (round) => say(`round ${round} of ${rounds}`));
    const after = (await control.state()).counts;
    const heads = ((after.HeadObject ?? 0) - (before.HeadObject ?? 0)) / (rounds * count);
    const rates = { ours: samples.ours.map(({ rate }) => rate), theirs: samples.theirs.map(({ rate }) => rate) };
    const cpu = { ours: samples.ours.map(({ cpuUs }) => cpuUs), theirs: samples.theirs.map(({ cpuUs }) => cpuUs) };
    const what = "BullMQ worker with one SDK CopyObject per job";
    return {
      figures: [
        {
          name: "copy-object jobs",
          value: median(rates.ours),
          unit: "jobs/s",
          beside: { what, value: median(rates.theirs), ratio: pairedRatio(rates.ours, rates.theirs) },
        },
        {
          name: "worker's CPU for each job",
          value: median(cpu.ours),
          unit: "us",
          beside: { what, value: median(cpu.theirs), ratio: pairedRatio(cpu.ours, cpu.theirs) },
        },
      ],
      notes: [
        `${count} jobs a round, ${rounds} rounds that alternate, concurrency ${CONCURRENCY} on both sides, the jobs added while the queue is paused; only the work is timed.`,
        `Ours asks S3 twice for each job (${heads.toFixed(2)} HEADs measured) and keeps in Redis what it has proven, so that a rerun repeats nothing; it also writes its log. The plain worker calls CopyObject once and believes it.`,
      ],
    };
  },
};

async function timed(pid: number, count: number, run: () => Promise<number>) {
  const before = cpuMs(pid);
  const rate = await run();
  return { rate, cpuUs: ((cpuMs(pid) - before) * 1000) / count };
}
