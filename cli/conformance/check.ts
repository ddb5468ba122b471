import { isDeepStrictEqual } from "node:util";
import { buffer } from "node:stream/consumers";
import { ActivityError } from "../../model/activity-error.ts";
import type { ActivityInput, ActivityName, ActivityResult } from "../../jobs/contracts.ts";
import type { ObjectRef } from "../../model/entities.ts";
import type { Producer } from "../../producer/index.ts";
import type { CapabilityName, OpenS3 } from "../../worker/inspect.ts";

/** The store that is looked at, and what its checks work with. */
export type Subject = {
  readonly producer: Producer;
  /** The S3 room over the same profile as the worker's, for what no job can ask. */
  readonly s3: OpenS3;
  readonly signal: AbortSignal;
  /** Two buckets, one for odd keys, and one that keeps versions where the store has such. */
  readonly bucket: string;
  readonly other: string;
  readonly odd: string;
  /** The odd keys that the store takes: those that it refuses with a typed error are left out once that was seen. */
  readonly oddKeys: string[];
  readonly versioned: string | undefined;
  /** Runs a job through Redis and the worker. */
  readonly run: <Name extends ActivityName>(name: Name, input: ActivityInput<Name>) => Promise<ActivityResult<Name>>;
  /** Names a further bucket, which is removed at the end whatever happens. */
  readonly spareBucket: () => string;
};

/** What the checks are about: every activity, and the batches that are made of them. */
export type Checked = ActivityName | "batches";

/** One claim about an activity, and what shows whether it holds. */
export type Check = {
  readonly activity: Checked;
  /** Completes "the activity ...". */
  readonly claim: string;
  /** A store may refuse it with a typed error; else that is a failure too. */
  readonly optional?: boolean;
  /** What the store must have for the check to make sense. */
  readonly needs?: CapabilityName;
  /** Capabilities that are worked around where the store lacks them and this check holds nevertheless. */
  readonly proves?: readonly CapabilityName[];
  /** Throws where the claim does not hold; what is to be known besides is returned. */
  readonly run: (subject: Subject) => Promise<string | void>;
};

/** Above it the worker of a conformance run copies and uploads in parts. */
export const THRESHOLD = 5 * 1024 * 1024;

/** Three parts, bytes that differ everywhere. */
export function bigContent(): Buffer {
  const bytes = Buffer.alloc(2 * THRESHOLD + 1_234_568);
  for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at);
  return bytes;
}

export function expectThat(holds: boolean, expected: string): void {
  if (!holds) throw new Error(`expected ${expected}`);
}

export function expectEqual(got: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(got), JSON.stringify(expected)];
  // The order of a record's names says nothing.
  const same =
    one === other ||
    (one !== undefined && other !== undefined && isDeepStrictEqual(JSON.parse(one), JSON.parse(other)));
  if (!same) throw new Error(`expected ${what} ${short(other)}, got ${short(one)}`);
}

/** The job must fail with this very code. */
export async function expectCode(job: Promise<unknown>, ...codes: readonly string[]): Promise<void> {
  const got = await job.then(
    () => "success",
    (error: unknown) => {
      if (error instanceof ActivityError) return error.code;
      throw error;
    },
  );
  expectThat(codes.includes(got), `${codes.join(" or ")}, got ${got}`);
}

/** Uploads content through a document and a job. */
export async function put(
  { producer, run }: Subject,
  content: string | Buffer,
  { bucket, key, ...more }: Omit<ActivityInput<"put-object">, "document"> & { readonly key: string },
): Promise<ActivityResult<"put-object">["object"]> {
  const document = await producer.documents.write(content, { name: "conformance" });
  return (await run("put-object", { ...more, bucket, key, document })).object;
}

/** Downloads content through a job and a document. */
export async function contentOf({ producer, run }: Subject, object: ObjectRef): Promise<Buffer> {
  const { document } = await run("get-object", { object });
  return await buffer(await producer.documents.read(document));
}

export async function expectContent(subject: Subject, object: ObjectRef, expected: string | Buffer): Promise<void> {
  const [got, wanted] = [await contentOf(subject, object), Buffer.from(expected)];
  expectThat(got.equals(wanted), `${wanted.length} bytes as written, got ${got.length} bytes`);
}

export async function expectGone({ run }: Subject, object: ObjectRef): Promise<void> {
  await expectCode(run("head-object", { object }), "NoSuchKey");
}

function short(text: string | undefined): string {
  return text === undefined || text.length <= 160 ? String(text) : `${text.slice(0, 160)}...`;
}
