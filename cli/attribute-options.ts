import { type Command, Option } from "commander";
import type { CopiedAttributes } from "../model/attributes/carried.ts";
import { CannedAcl, type ObjectAttributes } from "../model/object-attributes.ts";
import { pair, type Pairs } from "./option-values.ts";

/** What may be said of an object that is written, as options. */
export type AttributeOptions = {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  readonly expires?: string;
  readonly websiteRedirect?: string;
  readonly metadata?: Pairs;
  readonly tag?: Pairs;
  readonly storageClass?: string;
  readonly encryption?: "AES256" | "aws:kms" | "aws:kms:dsse";
  readonly kmsKey?: string;
  readonly acl?: CannedAcl;
  readonly lockMode?: "GOVERNANCE" | "COMPLIANCE";
  readonly lockUntil?: string;
  readonly legalHold?: true;
};

/** And of one that is copied: what protects its source can be kept, or left behind. */
export type CopyAttributeOptions = Omit<AttributeOptions, "acl"> & {
  readonly acl?: CopiedAttributes["acl"];
  readonly lock?: "keep" | "drop";
};

/** Adds them to a command that uploads: what is not said is the store's default. */
export function addAttributeOptions(command: Command, { contentType }: { readonly contentType: string }): Command {
  return addOptions(command, contentType).addOption(
    new Option("--acl <name>", "who may see it; default: as the bucket says").choices(CannedAcl.options),
  );
}

/** Adds them to a command that copies: what is not said is carried over. */
export function addCopyAttributeOptions(command: Command): Command {
  return addOptions(command, "default: the source's, as for all that follow")
    .addOption(
      new Option("--acl <name>", "who may see it; keep: who may see the source").choices([
        ...CannedAcl.options,
        "keep",
        "drop",
      ]),
    )
    .addOption(
      new Option("--lock <what>", "the source's lock; default: keep for a move")
        .choices(["keep", "drop"])
        .conflicts(["lockMode", "lockUntil", "legalHold"]),
    );
}

function addOptions(command: Command, contentType: string): Command {
  return command
    .option("--content-type <type>", contentType)
    .option("--content-encoding <coding>", "such as gzip")
    .option("--content-disposition <text>", "such as 'attachment; filename=\"a.pdf\"'")
    .option("--content-language <tag>", "such as de")
    .option("--cache-control <text>", "such as max-age=3600")
    .option("--expires <date>", "an HTTP date, kept as it is given")
    .option("--website-redirect <target>", "a path that starts with /, or a URL")
    .option("--metadata <name=value>", "user metadata; may be repeated", pair)
    .option("--tag <name=value>", "a tag; may be repeated", pair)
    .option("--storage-class <class>", "such as STANDARD_IA")
    .addOption(
      new Option("--encryption <kind>", "what the store encrypts with").choices(["AES256", "aws:kms", "aws:kms:dsse"]),
    )
    .option("--kms-key <id>", "the key of KMS, with --encryption aws:kms")
    .addOption(new Option("--lock-mode <mode>", "with --lock-until").choices(["GOVERNANCE", "COMPLIANCE"]))
    .option("--lock-until <time>", "no version is deleted before, such as 2027-01-01T00:00:00Z")
    .option("--legal-hold", "no version is deleted while the hold is on");
}

/** What the options say, as activities and batches take it. What is wrong with it, their contracts tell. */
export function attributesFrom(options: AttributeOptions): ObjectAttributes {
  const { encryption: type, kmsKey: keyId, lockMode: mode, lockUntil: retainUntil, legalHold } = options;
  const { contentType, contentEncoding, contentDisposition, contentLanguage, cacheControl, expires } = options;
  const { websiteRedirect, metadata, tag: tags, storageClass, acl } = options;
  const kind = type ?? (keyId === undefined ? undefined : "aws:kms");
  return {
    contentType,
    contentEncoding,
    contentDisposition,
    contentLanguage,
    cacheControl,
    expires,
    websiteRedirect,
    metadata,
    tags,
    storageClass,
    acl,
    ...(kind === "AES256" && { encryption: { type: kind } }),
    ...(kind !== undefined && kind !== "AES256" && { encryption: { type: kind, keyId } }),
    ...((mode ?? retainUntil ?? legalHold) !== undefined && { objectLock: { mode, retainUntil, legalHold } }),
  };
}

/** As {@link attributesFrom}, of a copy. */
export function copyAttributesFrom({ acl, lock, ...rest }: CopyAttributeOptions): CopiedAttributes {
  return { ...attributesFrom(rest), acl, ...(lock !== undefined && { objectLock: lock }) };
}

/** How requests for an object are made: with the customer's key that the workers' profile has under a name, and who pays. */
export type RequestOptions = { readonly customerKey?: string; readonly requesterPays?: true };

/** Adds them to a command. */
export function addRequestOptions(command: Command, { key = true }: { readonly key?: boolean } = {}): Command {
  if (key) command.option("--customer-key <name>", "the customer's key of the profile that encrypts it (SSE-C)");
  return command.option("--requester-pays", "pay for the requests, where the bucket's owner does not");
}
