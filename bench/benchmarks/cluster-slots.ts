import type { Producer } from "../../producer/index.ts";
import type { Server } from "../../test/faults/redis/server.ts";
import { startClusterServers } from "../../test/faults/redis/groups.ts";
import type { Benchmark } from "../benchmark.ts";
import { generatedKey } from "../lab/generated-key.ts";
import { openLab } from "../lab/open.ts";
import { runBatch } from "../lab/run-batch.ts";
import { median } from "../results/statistics.ts";

/** What a round cost: seconds, and processor time of the node that worked most, in ms. */
type Cost = { readonly seconds: number; readonly busiestMs: number; readonly allMs: number };

/** Each a batch, in either case. */
const SHARES = [0, 1, 2];
const CONCURRENCY = { "head-object": 32, batches: 4 };

/** The same work in one slot of a cluster, as everything of one prefix is, and in three slots of three nodes: what a node has to bear. */
export const clusterSlots: Benchmark = {
  name: "cluster-slots",
  title: "jobs and batches in three slots of a Redis Cluster beside one slot",
  onDemand: true,
  async run(context) {
    const { quick, say, stack } = context;
    const [rounds, jobs, objects] = quick ? [2, 1500, 6000] : [5, 6000, 30_000];
    const { servers, url } = stack.use(await startClusterServers(0, { save: "" }));
    const lab = await openLab(context, { redis: url });
    const { control } = lab.server;
    for (const bucket of ["heads", "in"]) await control.createBucket(bucket);
    await control.generate("heads", { count: jobs });
    for (const share of SHARES) await control.generate("in", { count: objects / SHARES.length, prefix: `${share}/` });
    await control.createBucket("out", { sink: true });
    const [first = "", ...others] = await prefixesOnEach(servers);
    for (const prefix of [first, first, first, first, ...others])
      await lab.worker({ concurrency: CONCURRENCY, prefix });
    // A worker of the first prefix too many stands for the one that it has beside the others when work is spread.
    const one = [lab.producer(first)];
    const three = [first, ...others].map((prefix) => lab.producer(prefix));
    let run = 0;
    const heads = async (producers: readonly Producer[]) => {
      const inputs = Array.from({ length: jobs / SHARES.length }, (_, n) => ({
        object: { bucket: "heads", key: generatedKey(n) },
      }));
      await shared(producers, async (producer) => {
        const added = await producer.enqueueMany("head-object", inputs);
        await Promise.all(added.map((job) => job.result()));
      });
    };
    const copies = async (producers: readonly Producer[]) =>
      await shared(producers, async (producer, share) => {
        const source = { bucket: "in", prefix: `${share}/` };
        await runBatch(producer, { operation: "copy", source, destination: { bucket: "out", prefix: `${run++}/` } });
      });
    const figures = [];
    for (const [name, unit, count, work] of [
      ["single jobs", "jobs", jobs, heads],
      ["batch copy", "objects", objects, copies],
    ] as const) {
      const costs: { one: Cost[]; three: Cost[] } = { one: [], three: [] };
      for (let round = 0; round <= rounds; round++) {
        say(round === 0 ? `${name}: warming up` : `${name}: round ${round} of ${rounds}`);
        const [alone, spread] = [await costOf(servers, () => work(one)), await costOf(servers, () => work(three))];
        if (round > 0) {
          costs.one.push(alone);
          costs.three.push(spread);
        }
      }
      figures.push(...compare({ name, unit, count }, costs));
    }
    return {
      figures,
      notes: [
        `${jobs} head-object jobs and a batch of ${objects} copies a round, ${rounds} rounds that alternate; a cluster of three masters, all on this machine with workers and store.`,
        "Processor time of Redis is its own account (INFO cpu); it does not depend on how busy the machine is otherwise, seconds do.",
      ],
    };
  },
};

async function shared(producers: readonly Producer[], work: (producer: Producer, share: number) => Promise<void>) {
  const [first] = producers;
  if (first === undefined) return;
  await Promise.all(SHARES.map((share) => work(producers[share] ?? first, share)));
}

/** A prefix for each node, in the order of the nodes. */
async function prefixesOnEach(servers: readonly Server[]): Promise<string[]> {
  const found = new Map<number, string>();
  for (let n = 0; found.size < servers.length; n++) {
    const slot = Number(await servers[0]?.cli("CLUSTER", "KEYSLOT", `{s${n}}`));
    const node = Math.floor(slot / (16_384 / servers.length));
    if (!found.has(node)) found.set(node, `{s${n}}`);
  }
  return [...found.values()];
}

async function costOf(servers: readonly Server[], work: () => Promise<void>): Promise<Cost> {
  const read = () => Promise.all(servers.map(processorMs));
  const before = await read();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const used = (await read()).map((ms, node) => ms - (before[node] ?? 0));
  return { seconds, busiestMs: Math.max(...used), allMs: used.reduce((sum, ms) => sum + ms, 0) };
}

async function processorMs(server: Server): Promise<number> {
  const info = await server.cli("INFO", "cpu");
  const seconds = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1]);
  return 1000 * (seconds("used_cpu_user") + seconds("used_cpu_sys"));
}

type Work = { readonly name: string; readonly unit: string; readonly count: number };

function compare(
  { name, unit, count }: Work,
  { one, three }: { readonly one: readonly Cost[]; readonly three: readonly Cost[] },
) {
  const figure = (what: string, of: string, read: (cost: Cost) => number) => {
    const [value, beside] = [median(three.map(read)), median(one.map(read))];
    const ratio = median(three.map((cost, round) => read(cost) / read(one[round] ?? cost)));
    return { name: `${name}: ${what}`, value, unit: of, beside: { what: "one slot", value: beside, ratio } };
  };
  return [
    figure("throughput", `${unit}/s`, ({ seconds }) => count / seconds),
    figure("processor time of the busiest node", `µs/${unit.slice(0, -1)}`, (cost) => (1000 * cost.busiestMs) / count),
    figure("processor time of all nodes", `µs/${unit.slice(0, -1)}`, (cost) => (1000 * cost.allMs) / count),
  ];
}
