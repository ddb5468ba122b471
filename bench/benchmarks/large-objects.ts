import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { alternate } from "../results/alternate.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../results/figure.ts";
import { compareEfforts, type Effort, effortOf } from "../results/effort.ts";
import { generatedKey } from "../lab/generated-key.ts";
import { type Lab, openLab } from "../lab/open.ts";
import { memoryOf } from "../lab/process-usage.ts";
import { startSibling } from "../lab/sibling.ts";

const MIB = 1024 ** 2;
const MB = 1e6;

/** What plain-transfer-process.ts is asked. */
export type TransferOrder = {
  readonly what: "get" | "put";
  readonly bucket: string;
  readonly key: string;
  /** Where the content goes to or comes from. */
  readonly file: string;
};

/** One large object down and up, through jobs and through the SDK alone. */
export const largeObjects: Benchmark = {
  name: "large-objects",
  title: "get and put of one large object",
  async run(context) {
    const { quick, say, stack } = context;
    const rounds = quick ? 2 : 5;
    const size = (quick ? 256 : 1024) * MIB;
    const lab = await openLab(context);
    const { control } = lab.server;
    await control.createBucket("in");
    await control.generate("in", { count: 1, size });
    await control.createBucket("out", { sink: true });
    const worker = await lab.worker({ concurrency: { "get-object": 1, "put-object": 1 } });
    const plain = await startSibling<TransferOrder, unknown>("../processes/plain-transfer.ts", lab.address);
    stack.defer(() => plain.stop());
    const ours = await openTransfers(lab);

    const file = join(lab.folder, "plain.bin");
    const order = { bucket: "in", key: generatedKey(0), file };
    say("writing what is uploaded");
    await plain.ask({ ...order, what: "get" });
    const document = await ours.write(file);
    const megabytes = size / MB;
    let run = 0;
    const samples = await alternate(
      rounds,
      {
        get: async () => {
          const effort = await effortOf(worker.pid, megabytes, () => ours.get(order.key));
          await ours.clear();
          return effort;
        },
        plainGet: async () => {
          await rm(file);
          return await effortOf(plain.pid, megabytes, () => plain.ask({ ...order, what: "get" }));
        },
        put: () => effortOf(worker.pid, megabytes, () => ours.put(document, `ours-${run++}`)),
        plainPut: () =>
          effortOf(plain.pid, megabytes, () => plain.ask({ what: "put", bucket: "out", key: `plain-${run++}`, file })),
      },
      (round) => say(`round ${round} of ${rounds}`),
    );
    const alone = memoryOf(worker.pid).peak / MB;
    say("get and put at once");
    for (let round = 0; round < 2; round += 1) {
      await Promise.all([ours.get(order.key), ours.put(document, `ours-${run++}`)]);
      await ours.clear();
    }
    const peak = { alone, together: memoryOf(worker.pid).peak / MB, plain: memoryOf(plain.pid).peak / MB };
    return {
      figures: figuresOf(samples, peak),
      notes: [
        `One object of ${size / MIB} MiB, ${rounds} rounds that alternate. Peak memory is VmHWM of the process after all of them, one get or put at a time, and of ours again after two rounds of a get and a put at once. The worker ran ${context.built === true ? "as built" : "from the sources, whose types Node strips in each of its threads"}.`,
        "get: both stream into a file and flush it to the disk before it counts. Ours counts the bytes, takes their SHA-256 and renames the file into place; the job's result carries a pointer with the hash.",
        "put: both read a file and upload it in parts (ours 5 MiB and nine at once, lib-storage's default 5 MiB and four at once). Ours also checks the document's SHA-256 before the last byte leaves, takes each part's MD5, and believes only the ETag that follows from them.",
      ],
    };
  },
};

type Samples = Readonly<Record<"get" | "plainGet" | "put" | "plainPut", readonly Effort[]>>;

function figuresOf(
  samples: Samples,
  peak: { readonly alone: number; readonly together: number; readonly plain: number },
): Figure[] {
  const what = "the SDK alone";
  return [
    {
      name: "get-object",
      unit: "MB/s",
      ...compareEfforts(samples.get, samples.plainGet, { of: "perSecond", what }),
      bound: { on: "ratio", atLeast: 1 },
    },
    {
      name: "put-object",
      unit: "MB/s",
      ...compareEfforts(samples.put, samples.plainPut, { of: "perSecond", what }),
      bound: { on: "ratio", atLeast: 1 },
    },
    {
      name: "worker's peak memory, one at a time",
      value: peak.alone,
      unit: "MB",
      beside: { what, value: peak.plain, ratio: peak.alone / peak.plain },
    },
    {
      name: "worker's peak memory, a get and a put at once",
      value: peak.together,
      unit: "MB",
      bound: { on: "value", atMost: 300 },
    },
  ];
}

type Document = Awaited<ReturnType<ReturnType<Lab["producer"]>["documents"]["write"]>>;

/** The same through jobs. */
async function openTransfers(lab: Lab) {
  const producer = lab.producer();
  let last: Document | undefined;
  return {
    write: (file: string): Promise<Document> =>
      producer.documents.write(createReadStream(file), { name: "large.bin", deleteAfterDownload: false }),
    async get(key: string) {
      const { document } = await producer.run("get-object", { object: { bucket: "in", key } });
      last = document;
    },
    async clear() {
      if (last !== undefined) await producer.documents.delete(last);
    },
    put: (document: Document, key: string) => producer.run("put-object", { bucket: "out", key, document }),
  };
}
