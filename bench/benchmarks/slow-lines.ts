import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { alternate } from "../results/alternate.ts";
import type { Benchmark, BenchContext, BenchResult } from "../benchmark.ts";
import type { Figure } from "../results/figure.ts";
import { generatedKey } from "../lab/generated-key.ts";
import { openLab } from "../lab/open.ts";
import { startSibling } from "../lab/sibling.ts";
import { startSlowLine } from "../lab/slow-line.ts";
import { median, pairedRatio } from "../results/statistics.ts";
import { findTransferTools } from "../lab/transfer-tools.ts";
import { startSandboxProcess } from "../../sandbox/index.ts";
import type { TransferOrder } from "./large-objects.ts";

const MB = 1e6;
const RATE = 20 * MB;
const KEY = generatedKey(0);

export const parallelGet: Benchmark = {
  name: "parallel-get",
  title: "get of a large object over lines of a fixed rate",
  run: (context) => overSlowLines(context, "get"),
};

export const parallelPut: Benchmark = {
  name: "parallel-put",
  title: "put of a large object over lines of a fixed rate",
  run: (context) => overSlowLines(context, "put"),
};

export const streamCopy: Benchmark = {
  name: "stream-copy",
  title: "copy of a large object between two stores over lines of a fixed rate",
  run: (context) => overSlowLines(context, "copy"),
};

export type Way = "get" | "put" | "copy";

/** Two stores behind slow lines, a worker that reaches them, and a file to send. */
export async function openStage(context: BenchContext, whole = false) {
  const size = (context.quick && !whole ? 160 : 400) * MB;
  const lab = await openLab(context, { slowLines: (endpoints) => openLines(context, endpoints) });
  const { control } = lab.server;
  await control.createBucket("in");
  await control.generate("in", { count: 1, size });
  await control.createBucket("out", { sink: true });
  const startWorker = () => lab.worker({ concurrency: { "get-object": 1, "put-object": 1, "copy-object": 1 } });
  const worker = await startWorker();
  const producer = lab.producer();
  const direct = await startSibling<TransferOrder, unknown>("../processes/plain-transfer.ts", lab.address);
  const file = join(lab.folder, "large.bin");
  await direct.ask({ what: "get", bucket: "in", key: KEY, file });
  await direct.stop();
  const document = await producer.documents.write(createReadStream(file), {
    name: "large.bin",
    deleteAfterDownload: false,
  });
  let run = 0;
  const timeout = 300_000;
  const ways = {
    async get() {
      const got = await producer.run(
        "get-object",
        { credentials: "slow", object: { bucket: "in", key: KEY } },
        { timeout },
      );
      await producer.documents.delete(got.document.id);
    },
    put: () =>
      producer.run("put-object", { credentials: "slow", bucket: "out", key: `ours-${run++}`, document }, { timeout }),
    copy: () =>
      producer.run(
        "copy-object",
        {
          credentials: "slow",
          object: { bucket: "in", key: KEY },
          destination: { bucket: "out", key: `ours-${run++}`, credentials: "other" },
        },
        { timeout },
      ),
  };
  return { lab, size, worker, startWorker, file, ways };
}

type Stage = Awaited<ReturnType<typeof openStage>>;

async function openLines({ stack }: BenchContext, first: { readonly endpoint: string; readonly region: string }) {
  const second = await startSandboxProcess({ verifySignatures: false, logSize: 0, region: first.region });
  stack.defer(() => second.stop());
  await second.control.createBucket("out", { sink: true });
  const slow = await startSlowLine({ endpoint: first.endpoint, bytesPerSecond: RATE }, stack);
  const other = await startSlowLine({ endpoint: second.endpoint, bytesPerSecond: RATE }, stack);
  return { slow, other };
}

async function overSlowLines(context: BenchContext, way: Way): Promise<BenchResult> {
  const stage = await openStage(context);
  const { lab, size, file, ways } = stage;
  const lines = linesOf(stage);
  const address = { ...lab.address, endpoint: lines.slow.endpoint };
  const found = await findTransferTools(context, { address, other: lines.other.endpoint, folder: lab.folder });
  const sdk = await startSibling<TransferOrder, unknown>("../processes/plain-transfer.ts", address);
  context.stack.defer(() => sdk.stop());
  const target = join(lab.folder, "tool.bin");
  let run = 0;
  const sides: Record<string, () => Promise<unknown>> = { ours: ways[way] };
  if (way === "get") sides["the SDK alone"] = () => sdk.ask({ what: "get", bucket: "in", key: KEY, file: target });
  if (way === "put") sides["the SDK alone"] = () => sdk.ask({ what: "put", bucket: "out", key: `sdk-${run++}`, file });
  for (const { name, get, put, copy } of found.tools) {
    if (way === "get") sides[name] = () => get("in", KEY, target);
    if (way === "put") sides[name] = () => put(file, "out", `${name.split(" ")[0]}-${run++}`);
    if (way === "copy" && copy !== undefined) sides[name] = () => copy(KEY, "out", `${name}-${run++}`); // a program skips what is there
  }
  const timed = Object.fromEntries(
    Object.entries(sides).map(([name, go]) => [
      name,
      async () => {
        await rm(target, { force: true });
        const started = performance.now();
        await go();
        return (performance.now() - started) / 1000;
      },
    ]),
  );
  const rounds = context.quick ? 1 : 3;
  const samples = await alternate(rounds, timed, (round) => context.say(`round ${round} of ${rounds}`));
  return { figures: compare(way, samples), notes: notesOf(size, found.notes) };
}

/** Ours beside each, and beside the best of the tools, which carries the bound. */
function compare(way: Way, samples: Readonly<Record<string, readonly number[]>>): Figure[] {
  const mine = samples["ours"] ?? [];
  const others = Object.entries(samples).filter(([name]) => name !== "ours");
  const best = others.filter(([name]) => name !== "the SDK alone").toSorted((a, b) => median(a[1]) - median(b[1]))[0];
  return others.map(([what, theirs]) => ({
    name: `${way} over slow lines`,
    value: median(mine),
    unit: "s",
    beside: { what, value: median(theirs), ratio: pairedRatio(mine, theirs) },
    ...(what === best?.[0] && { bound: { on: "ratio" as const, atMost: 1 } }),
  }));
}

export function linesOf({ lab }: Stage): NonNullable<Stage["lab"]["lines"]> {
  if (lab.lines === undefined) throw new Error("expected a lab with slow lines");
  return lab.lines;
}

export function notesOf(size: number, notes: readonly string[]): string[] {
  return [
    `One object of ${size / MB} MB; each connection gets ${RATE / MB} MB/s in each direction. Tools run with the settings that they bring; their start is part of their time, as the queue is of ours.`,
    ...notes,
  ];
}
