import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Command, Option } from "commander";
import { VERB_NAMES, verbOf } from "../../batches/operations.ts";
import type { BatchSpecInput } from "../../producer/index.ts";
import {
  addCopyAttributeOptions,
  addRequestOptions,
  type CopyAttributeOptions,
  copyAttributesFrom,
  type RequestOptions,
} from "../attribute-options.ts";
import { addBatchOptions, type BatchOptions, batchSpec } from "./options.ts";
import type { Environment } from "../environment.ts";
import { type S3Url, s3Url } from "../s3-url.ts";
import { type Session, session } from "../session.ts";
import { startBatch } from "./start.ts";

type Options = BatchOptions &
  CopyAttributeOptions &
  RequestOptions & {
    readonly destinationCustomerKey?: string;
    readonly format?: "csv" | "ndjson";
    readonly bucket?: string;
    readonly to?: S3Url;
    readonly onConflict?: "overwrite" | "skip" | "skip-identical" | "fail";
    readonly destinationProfile?: string;
  };

/** `bucketline batch start`: a batch over the objects that a manifest names, of any length. */
export function startFromManifest(environment: Environment): Command {
  const command: Command = addBatchOptions(
    addRequestOptions(
      addCopyAttributeOptions(
        new Command("start")
          .description("start a batch over the objects that a manifest names")
          .addArgument(new Command().createArgument("<operation>", "what to do with each").choices(VERB_NAMES))
          .argument("<manifest>", "a file of lines, CSV (bucket,key[,versionId]) or NDJSON; - for standard input")
          .addOption(new Option("--format <format>", "default: told by the file's ending").choices(["csv", "ndjson"]))
          .option("--bucket <name>", "for NDJSON lines that name none")
          .option("--to <url>", "s3://bucket or s3://bucket/prefix/; where the objects go", s3Url)
          .addOption(
            new Option(
              "--on-conflict <what>",
              "where the destination has an object already; default: overwrite",
            ).choices(["overwrite", "skip", "skip-identical", "fail"]),
          )
          .option("--destination-profile <name>", "the workers' profile for the destination; default: --profile")
          .option(
            "--destination-customer-key <name>",
            "the customer's key for what is written; default: --customer-key",
          ),
      ),
    ),
  ).addHelpText(
    "after",
    `
Examples:
  1. bucketline batch start copy inventory.csv --to s3://archive/2026/
  2. aws s3api list-objects-v2 --bucket old --query 'Contents[].{key:Key}' --output json | jq -c '.[]' | bucketline batch start delete - --format ndjson --bucket old --dry-run`,
  );
  return command.action(async (operation: Operation, file: string, options: Options) => {
    const format = options.format ?? formatOf(file);
    if (format === undefined)
      command.error("error: --format: expected csv or ndjson, which the name does not tell", { exitCode: 2 });
    const goes = verbOf({ operation }).destination !== undefined;
    if (goes !== (options.to !== undefined))
      command.error(`error: --to: expected ${goes ? "a destination" : `none for ${operation}`}`, { exitCode: 2 });
    await session(environment, (open) => startOver(open, { operation, file, format }, options));
  });
}

type Operation = BatchSpecInput["operation"];

type Named = {
  readonly operation: Operation;
  readonly file: string;
  readonly format: "csv" | "ndjson";
};

/** Stores the manifest, and starts a batch over what it names. */
async function startOver(open: Session, { operation, file, format }: Named, options: Options): Promise<void> {
  const { producer, signal } = open;
  const manifest = await producer.documents.write(file === "-" ? process.stdin : createReadStream(file), {
    name: file === "-" ? "manifest" : basename(file),
    contentType: format === "csv" ? "text/csv" : "application/x-ndjson",
    signal,
  });
  const { to, bucket, onConflict, destinationProfile, customerKey, requesterPays } = options;
  const spec: BatchSpecInput = {
    ...batchSpec(options, undefined),
    operation,
    customerKey,
    requesterPays,
    source: { manifest, format, bucket },
    ...(to && {
      destination: {
        bucket: to.bucket,
        prefix: to.key === "" ? undefined : to.key,
        credentials: destinationProfile,
        customerKey: options.destinationCustomerKey,
      },
      onConflict,
      ...copyAttributesFrom(options),
    }),
  };
  try {
    await startBatch(open, spec, options);
  } catch (error) {
    // Where it was never started nobody will read the manifest; one that a batch has is kept by the batch.
    if (error instanceof Error && /^(InvalidInput|BatchOverlap|IdempotencyConflict):/.test(error.message))
      await producer.documents.delete(manifest);
    throw error;
  }
}

function formatOf(file: string): "csv" | "ndjson" | undefined {
  if (/\.csv(\.gz)?$/i.test(file)) return "csv";
  return /\.(ndjson|jsonl)(\.gz)?$/i.test(file) ? "ndjson" : undefined;
}
