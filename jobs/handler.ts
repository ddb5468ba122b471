import type { Logger } from "pino";
import type { z } from "zod";
import type { DocumentStore } from "../documents/interface.ts";
import type { CopyProof, Pin, S3, UploadMemory } from "../s3/interface.ts";
import type { Deadline } from "../redis/deadline.ts";
import type { Contract } from "./contract.ts";

/** What a copy or move remembers across its attempts, first writer wins; kept in Redis under the job's id. */
export type Evidence = {
  /** No run of this job began before this one. */
  readonly fresh: boolean;
  /** The pin of an earlier attempt, or the one that `make` finds now. */
  pinOnce(make: () => Promise<Pin>): Promise<Pin>;
  /** What an earlier attempt proved of its copy. */
  copied(): Promise<CopyProof | undefined>;
  /** Durable before the source may be deleted. */
  recordCopy(proof: CopyProof): Promise<void>;
  /**
   * Resolves once what is remembered would survive the loss of Redis' master, where the worker was told to see to that; before a source is deleted.
   *
   * @throws ActivityError `ProofForgotten` where it is not there any more; the signal's reason
   */
  survives(signal: AbortSignal): Promise<void>;
  /** Notes that this job sends what takes effect but once. True where an earlier run of it had begun to: what is refused now may be its own effect. */
  beganBefore(): Promise<boolean>;
  /** Forgets all: the next attempt starts anew. */
  forget(): Promise<void>;
  readonly upload: UploadMemory;
};

/** An object at a store: `deletes` where it will be deleted, `writes` where it will be written. */
export type HeldObject = {
  readonly connection: S3["connection"];
  readonly bucket: string;
  readonly key: string;
  readonly role: "deletes" | "writes" | "fills";
};

/** Objects that a run has to itself. */
export type Hold = {
  /** A request was sent that may still take effect: others get the objects only once that is over. */
  keep(): void;
  /** Throws `LockLost` where somebody else has them by now, as a Redis that went back in time forgot who had. Ask just before a delete. */
  confirm(): Promise<void>;
};

/**
 * Runs `work` while no other job and no batch of this Redis deletes or writes these objects. `wait`: after those that do; where that takes long, the
 * job comes again later without using up an attempt. `fail`: throws `Overlap` at once.
 *
 * @param work is given a signal that aborts once nothing may be deleted any more
 */
export type Exclusively = <Result>(
  request: { readonly objects: readonly HeldObject[]; readonly onOverlap: "wait" | "fail" },
  work: (deletes: AbortSignal, hold: Hold) => Promise<Result>,
) => Promise<Result>;

/** Begins to report on so many bytes; what it returns is called with bytes as they arrive. */
export type ReportProgress = (of: number) => (bytes: number) => void;

/** What a handler is given for one attempt. */
export type JobContext = {
  /** The store of the job's credentials. */
  readonly s3: S3;
  /** The store of `destination.credentials`; the same object as `s3` where none are given. */
  readonly destination: S3;
  readonly documents: DocumentStore;
  readonly evidence: Evidence;
  /** This job and no other, not even a later one of the same id: what is kept for its next attempt bears this name. */
  readonly identity: string;
  /** Tells how far the attempt is with the bytes that it moves. */
  readonly progress: ReportProgress;
  /** Ends with the operation's timeout, a cancel, a lost lock, or the worker's shutdown deadline. */
  readonly signal: AbortSignal;
  /** Until when this run may delete; what deletes passes its `deletes` on. */
  readonly deadline: Deadline;
  readonly exclusively: Exclusively;
  readonly log: Logger;
  /** 1 for the first. */
  readonly attempt: number;
};

/** Runs one attempt of an activity. A list handler yields pages of entities; run-job stores them inline or as a document. */
export type Handler<Input = unknown, Result = unknown> = {
  readonly contract: Contract;
  readonly run: (input: Input, context: JobContext) => Promise<Result> | AsyncIterable<readonly unknown[]>;
};

/** Binds what an activity does to its contract. */
export function defineHandler<Input extends z.ZodType, Result>(
  contract: Contract<string, Input, z.ZodType<unknown, Result>>,
  run: (input: z.output<Input>, context: JobContext) => Promise<Result>,
): Handler<z.output<Input>, Result> {
  return { contract, run };
}

/** Binds what a list activity does to its contract. */
export function defineListHandler<Input extends z.ZodType, Entity extends z.ZodType>(
  contract: Contract<string, Input> & { readonly list: { readonly entity: Entity } },
  run: (input: z.output<Input>, context: JobContext) => AsyncIterable<readonly z.input<Entity>[]>,
): Handler<z.output<Input>> {
  return { contract, run };
}
