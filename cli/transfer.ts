import { Command, Option } from "commander";
import {
  addCopyAttributeOptions,
  addRequestOptions,
  type CopyAttributeOptions,
  copyAttributesFrom,
  type RequestOptions,
} from "./attribute-options.ts";
import {
  addBatchOptions,
  addSourceOptions,
  type BatchOptions,
  batchSpec,
  refuseLostOptions,
} from "./batches/options.ts";
import { EXIT } from "./usage-exit.ts";
import { verbOf } from "../batches/operations.ts";
import type { Environment } from "./environment.ts";
import { jsonLine, printable } from "./output/printable.ts";
import { runJob } from "./run-job.ts";
import { asFolder, type S3Url, s3UrlAs, shown, type Source, sourceOf, targetOf } from "./s3-url.ts";
import { say } from "./output/say.ts";
import { type Session, session } from "./session.ts";
import { sizeText } from "./output/size-text.ts";
import { startBatch } from "./batches/start.ts";
import { refuseWholeBucket } from "./batches/whole-bucket.ts";

export type TransferOptions = BatchOptions &
  CopyAttributeOptions &
  RequestOptions & {
    readonly destinationCustomerKey?: string;
    readonly onConflict?: "overwrite" | "skip" | "skip-identical" | "fail";
    readonly versionId?: string;
    readonly destinationProfile?: string;
    readonly minVerify?: "etag" | "checksum" | "size";
  };

/** What cp and mv have in common. */
export function transferCommand(operation: "copy" | "move", environment: Environment, name: string): Command {
  const command = new Command(name)
    .argument("<source>", "s3://bucket/key, s3://bucket/prefix/ or s3://bucket/pattern*", s3UrlAs("source"))
    .argument(
      "<destination>",
      "s3://bucket/key; one that ends with / keeps the last part of the key",
      s3UrlAs("destination"),
    )
    .addOption(
      new Option("--on-conflict <what>", "where the destination has an object already; default: overwrite").choices([
        "overwrite",
        "skip",
        "skip-identical",
        "fail",
      ]),
    )
    .option("--version-id <id>", "this version of the object")
    .option("--destination-profile <name>", "the workers' profile for the destination; default: --profile")
    .option("--destination-customer-key <name>", "the customer's key for what is written; default: --customer-key");
  const deletes = verbOf({ operation }).source.ends === "deleted";
  if (deletes)
    command.addOption(
      new Option("--min-verify <proof>", "the weakest proof on which a source may be deleted").choices([
        "etag",
        "checksum",
        "size",
      ]),
    );
  return addBatchOptions(addSourceOptions(addRequestOptions(addCopyAttributeOptions(command)))).action(
    async (from: S3Url, url: S3Url, options: TransferOptions) => {
      const to = options.recursive ? asFolder(url) : url;
      const source = sourceOf(from, options);
      refuseLostOptions(command, source, options);
      if (source.kind === "object") {
        const target = targetOf(from, to);
        refuseOntoItself(command, operation, { from, to: target }, options);
        return session(environment, (open) => transferOne(open, operation, from, target, options));
      }
      if (to.key !== "" && !to.key.endsWith("/"))
        command.error("error: expected a destination that ends with / for a prefix or a pattern", {
          exitCode: EXIT.usage,
        });
      if (deletes) refuseWholeBucket(command, source, options);
      await session(environment, (open) => transferMany(open, operation, source, to, options));
    },
  );
}

/** A move would have to delete what it wrote, and a copy that says nothing new changes nothing. One of an older version brings it back. */
function refuseOntoItself(
  command: Command,
  operation: "copy" | "move",
  { from, to }: { readonly from: S3Url; readonly to: S3Url },
  options: TransferOptions,
): void {
  const { destinationProfile, profile, versionId, destinationCustomerKey } = options;
  if (from.bucket !== to.bucket || from.key !== to.key || versionId !== undefined) return;
  if (destinationProfile !== undefined && destinationProfile !== profile) return;
  const says = Object.values(copyAttributesFrom(options)).some((value) => value !== undefined);
  const { rewrites } = verbOf({ operation });
  if (rewrites && (says || destinationCustomerKey !== undefined)) return;
  const more = rewrites ? ", or something to change: --storage-class, --metadata and the like" : "";
  command.error(printable(`error: ${shown(from)} is source and destination: expected another destination${more}`), {
    exitCode: EXIT.usage,
  });
}

async function transferOne(
  { producer, signal }: Session,
  operation: "copy" | "move",
  from: S3Url,
  to: S3Url,
  options: TransferOptions,
): Promise<void> {
  const { versionId, minVerify, json } = options;
  const input = {
    object: { ...from, versionId },
    destination: {
      ...to,
      credentials: options.destinationProfile,
      customerKey: options.destinationCustomerKey,
    },
    ...replacements(options),
  };
  const moves = verbOf({ operation }).source.ends === "deleted";
  const done = moves
    ? await runJob(producer, signal, { activity: "move-object", input: { ...input, minVerify } }, (job) =>
        job.result({ signal }),
      )
    : await runJob(producer, signal, { activity: "copy-object", input }, (job) => job.result({ signal }));
  if (json) return console.log(jsonLine(done));
  const proof = done.skipped
    ? "skipped: it is there already"
    : `${sizeText(done.object.size)}, verified by ${done.verified}`;
  say(printable(`${shown(from)} -> ${shown(to)} (${proof})`));
}

async function transferMany(
  open: Session,
  operation: "copy" | "move",
  { bucket, prefix, include }: Source & { readonly kind: "many" },
  to: S3Url,
  options: TransferOptions,
): Promise<void> {
  const spec = {
    ...batchSpec(options, include),
    ...replacements(options),
    operation,
    source: { bucket, prefix },
    destination: {
      bucket: to.bucket,
      prefix: to.key,
      credentials: options.destinationProfile,
      customerKey: options.destinationCustomerKey,
    },
    minVerify: options.minVerify,
  };
  await startBatch(open, spec, options);
}

function replacements(options: TransferOptions) {
  const { profile, onConflict, customerKey, requesterPays } = options;
  return { credentials: profile, onConflict, customerKey, requesterPays, ...copyAttributesFrom(options) };
}
