import type { Cluster, Redis } from "ioredis";
import type { Logger } from "pino";
import type { ActivityError } from "../../model/activity-error.ts";
import type { DocumentStore } from "../../documents/interface.ts";
import type { ActivityName } from "../../jobs/contracts.ts";
import type { CredentialsRef } from "../../model/entities.ts";
import type { Pin, S3 } from "../../s3/interface.ts";
import type { AskedTerms } from "../../s3/terms.ts";
import type { AdaptiveLimiter } from "../../s3/transport/adaptive-limiter.ts";
import { verbOf } from "../operations.ts";
import type { Deadline } from "../../redis/deadline.ts";
import type { ReplicaWait } from "../../redis/replica-wait.ts";
import type { BatchQueue } from "../state/queue.ts";
import { type BatchSpec, destinationKeyOf, prefixSource } from "../spec/request.ts";
import type { ChunkControl } from "./control.ts";
import { bucketAt, type ChunkManifest, classAt } from "../state/chunk-manifest.ts";
import type { ChunkOutcomes, Remark } from "./outcomes.ts";
import type { Pace } from "./pace.ts";
import type { RequestCount } from "./request-count.ts";
import type { ChunkStore, Delivery } from "../state/chunk-store.ts";

/** Runs requests in lanes, in each as many at once as its place bears. */
export type Limiter = Pick<AdaptiveLimiter, "run">;

/** A store that may know how much it bears. */
export type LimitedS3 = S3 & { readonly limiter?: Limiter };

/** What became of the objects of a chunk. */
export type CountedChunk = {
  readonly operation: BatchSpec["operation"];
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unattempted: number;
  /** Of those that succeeded. */
  readonly bytes: number;
};

/** What the chunk worker is given by the worker it is part of. */
export type ChunkDeps = {
  /** For commands; shared. */
  readonly redis: Redis | Cluster;
  readonly prefix: string;
  readonly queue: BatchQueue;
  /**
   * The store of these credentials as the batch asks of it; every request of it asks the policy about that activity, and about list-objects
   * where it lists. Its limiter, where it has one, holds the copies. `sent` is told of each request as it goes out.
   */
  readonly s3For: (
    credentials: CredentialsRef | undefined,
    activity: ActivityName,
    asked: AskedTerms,
    sent?: RequestCount["sent"],
  ) => Promise<LimitedS3>;
  /** The policy of these credentials for an activity in a bucket, ready to be asked for every object; for a listing, with its prefix. */
  readonly allowed: (
    credentials: CredentialsRef | undefined,
    activity: ActivityName,
    bucket: string,
  ) => Promise<(key: string) => boolean>;
  readonly documents: DocumentStore;
  readonly log: Logger;
  /** Told of each chunk that was counted; must not throw. */
  readonly onChunk?: ((counted: CountedChunk) => void) | undefined;
  /** Waited for before sources are deleted, where that was asked for. */
  readonly replicas?: ReplicaWait | undefined;
  /** Objects of one chunk in work at once. Default 64. */
  readonly concurrency?: number | undefined;
};

/** Until when the owner of a job may delete: not long after its last confirmed renewal, or somebody else has the job and says what is kept. */
export type DeleteDeadline = Pick<Deadline, "deletes" | "mayDelete" | "requireDelete">;

/** How a verb is done, a chunk at a time; what can be told of it without doing it is its {@link Verb}. */
export type Operation = {
  /** Decides without a request on objects that must not be worked on, beside what holds for every verb. */
  readonly screen?: (work: ChunkWork) => (index: number) => Screened | undefined;
  /** What a dry run counts: the requests that the run will make, as far as the listing tells. */
  readonly plan: {
    readonly perChunk: (work: ChunkWork) => number;
    readonly perObject: (work: ChunkWork, index: number) => number;
    /** Whether an object is exact by its name alone; else it is looked at while the plan is made. */
    readonly isExact?: (work: ChunkWork, index: number) => boolean;
  };
  /** Brings every open object to an outcome, unless the batch halts before. */
  readonly work: (work: ChunkWork) => Promise<void>;
  /** What is true of objects that had none when the batch was cancelled or given up. */
  readonly settle: {
    /** What may have become of an object whose work was cut off. */
    readonly cutOff: string;
    /** What an earlier delivery may have left, where it may. */
    readonly leftover?: string;
    /** Objects that an earlier delivery may have deleted before it died: they are looked for. */
    readonly uncertain: (work: ChunkWork) => readonly number[];
    /** Removes what nobody will go on with. */
    readonly abandon?: (work: ChunkWork) => Promise<void>;
  };
};

/** What a screen decided, and why. */
export type Screened = Remark & { readonly skip?: boolean };

export const defineOperation = (operation: Operation): Operation => operation;

/** One delivery of a chunk at work. */
export type ChunkWork = {
  readonly batch: string;
  readonly operation: Operation;
  readonly delivery: Delivery;
  readonly spec: BatchSpec;
  readonly manifest: ChunkManifest;
  readonly outcomes: ChunkOutcomes;
  readonly source: S3;
  /** Of a delete: the source. */
  readonly destination: S3;
  readonly chunks: ChunkStore;
  readonly control: ChunkControl;
  /** Ends the requests for objects: the job ends, or a halt has waited long enough for what is under way. */
  readonly signal: AbortSignal;
  /** The job's own signal. */
  readonly ending: AbortSignal;
  /** Until when this delivery may delete. */
  readonly deadline: DeleteDeadline;
  readonly documents: DocumentStore;
  readonly replicas: ReplicaWait | undefined;
  readonly onChunk: ChunkDeps["onChunk"];
  readonly limiter: Limiter;
  readonly pace: Pace;
  readonly concurrency: number;
  /** Of the policy: may this object be worked on? */
  readonly mayTouch: (index: number) => boolean;
  /** Objects whose work began in this delivery. */
  readonly started: Uint8Array;
  /** Of all that this delivery sends. */
  readonly requests: RequestCount;
  /** What was reported for the throughput so far. */
  readonly ticked: { objects: number; bytes: number };
  /** Shows what holds the batch up, where it is for long. */
  readonly noteTrouble: (error: ActivityError) => Promise<void>;
  /** A delete had no answer: whoever moves the other way has to wait for a while. */
  readonly noteCutOff: () => Promise<void>;
  /** Set where going on would fail every object alike. */
  fatal: unknown;
};

/** Without a limiter of the store's own every request goes at once. */
export const UNLIMITED: Limiter = { run: (task) => task() };

/** Thrown where a later delivery has the chunk: nothing that this one still does may count. */
export class Superseded extends Error {
  override readonly name = "Superseded";
  constructor() {
    super("another delivery has this chunk");
  }
}

/** Where an object goes. */
export function destinationKeyAt(
  { spec, manifest }: Pick<ChunkWork, "spec" | "manifest">,
  index: number,
): string | undefined {
  return manifest.destinations?.[index] ?? destinationKeyOf(spec, manifest.keys[index] ?? "");
}

/** The exact content an object is worked on as; `undefined` where it has to be looked at first. */
export function pinAt(
  { manifest, outcomes }: Pick<ChunkWork, "manifest" | "outcomes">,
  index: number,
): Pin | undefined {
  const bucket = bucketAt(manifest, index);
  const key = manifest.keys[index] ?? "";
  const named = manifest.versions?.[index];
  const version = typeof named === "string" ? { versionId: named, versionNamed: true } : undefined;
  const late = outcomes.pins.get(index);
  if (late !== undefined) {
    const { etag, size, lastModified, storageClass, versionId } = late;
    return {
      bucket,
      key,
      etag,
      size,
      lastModified,
      storageClass,
      ...(versionId !== undefined && { versionId }),
      ...version,
    };
  }
  const etag = manifest.etags[index] ?? "";
  const size = manifest.sizes[index] ?? -1;
  const lastModified = manifest.modified[index] ?? "";
  if (etag === "" || size < 0 || lastModified === "") return undefined;
  const storageClass = classAt(manifest, index);
  // Nearly all of a listing: without a copy of it for each thing that is left out.
  if (version === undefined && storageClass !== "") return { bucket, key, etag, size, lastModified, storageClass };
  return { bucket, key, etag, size, lastModified, ...(storageClass !== "" && { storageClass }), ...version };
}

/** Both ends of a batch; one and the same where one connection reaches both. */
export async function endsOf(
  spec: BatchSpec,
  { s3For }: Pick<ChunkDeps, "s3For">,
  sent: RequestCount["sent"],
): Promise<{ readonly source: LimitedS3; readonly destination: LimitedS3 }> {
  const activity = verbOf(spec).access;
  const source = await s3For(spec.credentials, activity, spec, sent);
  const destination = await s3For(spec.destination?.credentials ?? spec.credentials, activity, spec, sent);
  return { source, destination: destination.connection === source.connection ? source : destination };
}

/** True where it belongs to a dry run. */
export function isPlanning({ owner }: Pick<Delivery, "owner">): boolean {
  return owner.startsWith("0.");
}

/** True where both ends of the batch are one bucket, as far as endpoint and name tell. */
export function isOneBucket(source: S3, destination: S3, from: string, to: string | undefined): boolean {
  return from === to && source.connection.endpoint === destination.connection.endpoint;
}

/** What the limiter keeps apart: S3's limits hold for each prefix. */
export function laneOf({ spec, destination }: Pick<ChunkWork, "spec" | "destination">): string {
  const source = prefixSource(spec);
  const bucket = spec.destination?.bucket ?? source?.bucket ?? "";
  return `${destination.connection.name}/${bucket}/${spec.destination?.prefix ?? source?.prefix ?? ""}`;
}
