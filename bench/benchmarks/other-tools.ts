import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { alternate } from "../results/alternate.ts";
import type { Benchmark, BenchContext } from "../benchmark.ts";
import { compareEfforts, effortOf } from "../results/effort.ts";
import type { Figure } from "../results/figure.ts";
import { type Lab, openLab } from "../lab/open.ts";
import { runBatch } from "../lab/run-batch.ts";
import { findProgram, runProgram } from "../lab/run-program.ts";

const IN_FLIGHT = 256;

type Tool = {
  readonly name: string;
  readonly objects: number;
  /** Copies bucket `in-<objects>` below a prefix of bucket `out`. */
  readonly copy: (bucket: string, prefix: string) => Promise<unknown>;
};

/** The same bulk copy through tools that many use, where they are installed. */
export const otherTools: Benchmark = {
  name: "other-tools",
  title: "bulk copy beside rclone and the AWS CLI",
  async run(context) {
    const { quick, say } = context;
    const lab = await openLab(context);
    const { control } = lab.server;
    const { tools, notes } = await findTools(context, lab);
    await control.createBucket("out", { sink: true });
    const worker = await lab.worker({ concurrency: { batches: 4 } });
    const producer = lab.producer();
    const figures: Figure[] = [];
    let run = 0;
    for (const { name, objects, copy } of tools) {
      const bucket = `in-${objects}`;
      await control.createBucket(bucket);
      await control.generate(bucket, { count: objects });
      const sides = {
        batch: () => {
          const destination = { bucket: "out", prefix: `batch-${run++}/` };
          const spec = { operation: "copy" as const, source: { bucket }, destination };
          return effortOf(worker.pid, objects, () => runBatch(producer, spec));
        },
        tool: () => effortOf(process.pid, objects, () => copy(bucket, `tool-${run++}`)),
      };
      await sides.batch();
      const rounds = quick ? 1 : 3;
      const samples = await alternate(rounds, sides, (round) => say(`${name}: round ${round} of ${rounds}`));
      const beside = { of: "perSecond", what: name } as const;
      figures.push({
        name: `batch copy of ${objects.toLocaleString("en-US")}`,
        unit: "objects/s",
        ...compareEfforts(samples.batch, samples.tool, beside),
      });
    }
    return {
      figures,
      notes: [
        ...notes,
        "Each from its start to its end, server-side copies only; the tools' own start is part of it, and so are the batch's report and Redis.",
      ],
    };
  },
};

async function findTools(context: BenchContext, lab: Lab) {
  const found = await Promise.all([
    findProgram("rclone", context.path) === undefined ? "rclone is not on the PATH." : rcloneTool(context, lab),
    findProgram("aws", context.path) === undefined ? "The AWS CLI is not on the PATH." : awsTool(context, lab),
  ]);
  return {
    tools: found.flatMap((one) => (typeof one === "string" ? [] : [one.tool])),
    notes: found.map((one) => (typeof one === "string" ? one : one.note)),
  };
}

const baseOf = ({ path }: BenchContext, { folder }: Lab) => ({ PATH: path, HOME: folder });

async function rcloneTool(context: BenchContext, lab: Lab) {
  const { path, quick, stack } = context;
  const { endpoint, region, credentials } = lab.address;
  const { folder } = lab;
  const rclone = findProgram("rclone", path) ?? "rclone";
  const env = {
    ...baseOf(context, lab),
    RCLONE_CONFIG: join(folder, "rclone.conf"),
    RCLONE_CONFIG_LAB_TYPE: "s3",
    RCLONE_CONFIG_LAB_PROVIDER: "Other",
    RCLONE_CONFIG_LAB_ENDPOINT: endpoint,
    RCLONE_CONFIG_LAB_REGION: region,
    RCLONE_CONFIG_LAB_ACCESS_KEY_ID: credentials.accessKeyId,
    RCLONE_CONFIG_LAB_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const [version = ""] = (await runProgram(rclone, ["version"], { env, stack })).split("\n");
  const flags = [
    "--transfers",
    String(IN_FLIGHT),
    "--checkers",
    String(IN_FLIGHT),
    "--s3-no-check-bucket",
    "--retries",
    "1",
  ];
  const note = `${version}: rclone copy ${flags.join(" ")} between two prefixes of one remote.`;
  const tool: Tool = {
    name: "rclone copy",
    objects: quick ? 3000 : 10_000,
    copy: (bucket, prefix) =>
      runProgram(rclone, ["copy", ...flags, `lab:${bucket}`, `lab:out/${prefix}`], { env, stack }),
  };
  return { tool, note };
}

async function awsTool(context: BenchContext, lab: Lab) {
  const { path, quick, stack } = context;
  const { endpoint, region, credentials } = lab.address;
  const { folder } = lab;
  const aws = findProgram("aws", path) ?? "aws";
  const config = join(folder, "aws-config");
  await writeFile(
    config,
    `[default]\nregion = ${region}\ns3 =\n  max_concurrent_requests = ${IN_FLIGHT}\n  max_queue_size = 10000\n`,
  );
  const env = {
    ...baseOf(context, lab),
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "no-aws-credentials"),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const version = (await runProgram(aws, ["--version"], { env, stack })).trim();
  const note = `${version}: aws s3 cp --recursive with max_concurrent_requests = ${IN_FLIGHT}.`;
  const tool: Tool = {
    name: "aws s3 cp --recursive",
    objects: quick ? 500 : 2000,
    copy: (bucket, prefix) =>
      runProgram(
        aws,
        [
          "s3",
          "cp",
          "--recursive",
          "--only-show-errors",
          "--endpoint-url",
          endpoint,
          `s3://${bucket}`,
          `s3://out/${prefix}`,
        ],
        { env, stack },
      ),
  };
  return { tool, note };
}
