import type { Readable } from "node:stream";
import type { Bucket, ByteRange, ObjectDetails, ObjectRef, S3Object, Verified } from "../model/entities.ts";
import type { NotCarried, Protect } from "../model/attributes/carried.ts";
import type { ObjectLock } from "../model/attributes/object-lock.ts";
import type { CannedAcl, Encryption } from "../model/object-attributes.ts";
import type { PlacedContent } from "../model/content/placed.ts";
import type { Connection } from "../credentials/connection.ts";
import type { AttributeField } from "./requests/attributes/table.ts";
import type { ObjectFacts } from "./requests/object-facts.ts";

/** Every call honours its signal: on abort it rejects with the signal's reason and leaves no socket or upload behind. */
export type Call = { readonly signal: AbortSignal };

/** The exact content of a source, fixed once: everything later is compared with it. */
export type Pin = {
  readonly bucket: string;
  readonly key: string;
  /** Present where the caller named a version, or the bucket is versioned and a HEAD told. */
  readonly versionId?: string;
  /** True where the caller named the version: then exactly that version is read and deleted. */
  readonly versionNamed?: boolean;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly lastModified: string;
  readonly storageClass?: string;
  /** Of the source, as CopyObject does not carry it; empty where there is none, absent where nobody looked. */
  readonly websiteRedirect?: string;
  /** Of the source; null where there is none, absent where nobody looked. */
  readonly objectLock?: ObjectLock | null;
};

/** What an answer of the store proved about a copy. */
export type CopyProof = {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
  /** The destination's, without quotes; never empty. */
  readonly etag: string;
  readonly size: number;
  readonly verified: Verified;
  /** What of the source is not at the copy: tags that could not be read, what protects the source and was not asked for. */
  readonly notCarried?: readonly NotCarried[];
};

/** What is said of a written object. In a copy it replaces what is else carried over from the source; for `acl` and `objectLock` see {@link CopyRequest.protect}. */
export type Overrides = {
  readonly [Field in AttributeField]?: string | undefined;
} & {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly storageClass?: string | undefined;
  readonly encryption?: Encryption | undefined;
  readonly acl?: CannedAcl | undefined;
  readonly objectLock?: ObjectLock | undefined;
  /** As `acl`, one by one. */
  readonly grants?: Grants | undefined;
};

/** Lets a multipart copy go on at part level after its process died. */
export type UploadMemory = {
  /** No later attempt comes by itself: a failure then leaves no upload behind. Default false. */
  readonly lastAttempt?: boolean;
  /** What an earlier run remembered, if anything. */
  load(): Promise<UploadState | undefined>;
  save(state: UploadState): Promise<void>;
  clear(): Promise<void>;
};
export type UploadState = {
  readonly uploadId: string;
  readonly partSize: number;
  /** Of the source; empty where the parts come from a stream. */
  readonly etag: string;
  /** Where the upload is to become an object. */
  readonly bucket: string;
  readonly key: string;
};

export type CopyRequest = {
  readonly source: Pin;
  readonly bucket: string;
  readonly key: string;
  readonly overrides?: Overrides;
  /** `*`: refuse where the destination has an object (else `PreconditionFailed`); with an ETag: only over that one. */
  readonly ifNoneMatch?: "*";
  readonly ifMatch?: string;
  readonly upload?: UploadMemory;
  /**
   * Where the tags may not be read, and the store tells of none: AWS does not tell whoever may not read them. `refuse`, the default, fails, as a
   * move would lose them; `leave` copies without them, and the proof says so.
   */
  readonly unreadTags?: "refuse" | "leave";
  /** What becomes of the source's access list and lock. Default: as `drop`. */
  readonly protect?: Protect;
  /** Called with bytes as they are copied, for progress. */
  readonly onBytes?: (bytes: number) => void;
};

/** Who may access an object, as the headers of a write say it. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html */
export type Grants = {
  readonly [Name in "GrantFullControl" | "GrantRead" | "GrantReadACP" | "GrantWriteACP"]?: string;
};
/** What others than an object's owner may, and all of its list. */
export type AccessList = { readonly others: Grants; readonly all: Grants };

/** What protects an object: a lock that is in force, and rights of others than its owner. */
export type Protection = { readonly objectLock?: ObjectLock; readonly acl?: AccessList };

export type ListRequest = {
  readonly bucket: string;
  readonly prefix?: string;
  readonly delimiter?: string;
  readonly startAfter?: string;
  readonly continuationToken?: string;
  /** 1 to 1,000; default 1,000. */
  readonly maxKeys?: number;
};

/** One page of a listing: decoded, complete, and proven to be an answer for this bucket. */
export type ListPage = {
  readonly objects: readonly S3Object[];
  /** Common prefixes, where a delimiter was given. */
  readonly prefixes: readonly string[];
  /** Present where there is more. */
  readonly next?: string;
};

export type Download = {
  /** The bytes; errors where fewer arrive than promised. The caller reads it to its end or destroys it, or takes `placed`. */
  readonly body: Readable;
  /** The same content in pieces with their places, where that was asked for and the object is above the profile's threshold. */
  readonly placed?: PlacedContent;
  /** Bytes that will come. */
  readonly size: number;
  readonly object: ObjectDetails;
  /** What a copy has to carry over beside the content. */
  readonly facts: ObjectFacts;
  /** Once the body has ended: what its bytes were compared with; `undefined` where the store says nothing about them. */
  readonly compared: () => Exclude<Verified, "size"> | undefined;
  /** The object's parts, where its ETag follows from their MD5s and the store tells their size. */
  readonly parts?: { readonly size: number; readonly areAlike: () => Promise<boolean> };
};

export type Upload = {
  readonly bucket: string;
  readonly key: string;
  readonly body: Readable;
  /** Bytes that `body` holds; fewer or more is an error and nothing becomes visible. */
  readonly size: number;
  /** Hex, of the whole body, where the caller knows it: verified against what was sent. */
  readonly sha256?: string;
  /** `body` itself errors at its end where it is not what `sha256` says, as a document's does: large ones are not hashed a second time. Default false. */
  readonly selfVerified?: boolean;
  /** Nobody else has the body's chunks: their memory is given back as soon as they are copied, which the garbage collector would do much later. */
  readonly ownsChunks?: boolean;
  readonly attributes: Overrides;
  readonly ifNoneMatch?: "*" | undefined;
  readonly ifMatch?: string | undefined;
  /** Called with bytes as they arrive in the store. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Lets a later attempt go on with the parts that this one leaves where its process dies. */
  readonly upload?: UploadMemory | undefined;
};

export type Deleted = { readonly versionId?: string; readonly deleteMarker: boolean };

/** `cutOff`: one of the requests had no answer, so that it may still be on its way. */
export type SourceDeleted = { readonly guarantee: "conditional" | "best-effort"; readonly cutOff: boolean };

/**
 * One key of a bulk delete. With `etag`: only that content, as far as the store enforces it. With `lastModified` and `size` beside it: only the object
 * that was so when it was pinned, which is looked at just before.
 */
export type DeleteItem = {
  readonly key: string;
  readonly versionId?: string;
  readonly etag?: string;
  readonly size?: number;
  readonly lastModified?: string;
};
/** `error` is absent where the store confirmed the key by name. */
export type DeleteOutcome = {
  readonly key: string;
  readonly error?: import("../model/activity-error.ts").ActivityError;
  /** Beside an error: a request that names the key had no answer that can be believed, so it may be gone all the same. */
  readonly uncertain?: true;
};

/**
 * One profile's view of its store: what handlers and batches may do. Every answer is checked before it is believed; every
 * failure is an ActivityError. https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
 */
export type S3 = {
  readonly connection: Connection;
  listBuckets(request: { readonly prefix?: string | undefined }, call: Call): AsyncIterable<readonly Bucket[]>;
  listPage(request: ListRequest, call: Call): Promise<ListPage>;
  head(object: ObjectRef, call: Call): Promise<ObjectDetails>;
  /** `undefined` where no object is there (404), an error for anything else. */
  find(object: ObjectRef, call: Call): Promise<ObjectDetails | undefined>;
  tags(object: ObjectRef, call: Call): Promise<Readonly<Record<string, string>>>;
  /** What protects an object, as far as it is asked for (`drop`: not); `undefined` at once where its bucket is known to have nothing of it. */
  protection(source: Pin, ask: Protect, call: Call): Promise<Protection> | undefined;
  get(
    request: {
      readonly object: ObjectRef;
      readonly range?: ByteRange | undefined;
      readonly ifMatch?: string | undefined;
      /** Told how many bytes will come; what it returns is called with them as they are read. */
      readonly progress?: ((of: number) => (bytes: number) => void) | undefined;
      /** Whether pieces of a large object may come in no order, as {@link Download.placed}. Default false. */
      readonly placed?: boolean | undefined;
    },
    call: Call,
  ): Promise<Download>;
  /** Uploads and verifies: size and ETag or checksum of what the store now has are those of what was sent. */
  put(upload: Upload, call: Call): Promise<ObjectDetails>;
  delete(request: { readonly object: ObjectRef; readonly ifMatch?: string | undefined }, call: Call): Promise<Deleted>;
  /** Up to 1,000 keys in one call; per-key errors are read. Keys that cannot stand in XML are deleted one by one. */
  deleteMany(
    request: { readonly bucket: string; readonly items: readonly DeleteItem[] },
    call: Call,
  ): Promise<readonly DeleteOutcome[]>;
  /** Copies within this store: CopyObject, or parallel UploadPartCopy above the profile's threshold. Verified before it returns. */
  copy(request: CopyRequest, call: Call): Promise<CopyProof>;
  /** Copies out of another profile's store: GET to (multipart) PUT under the same pin, verified. */
  copyFrom(from: S3, request: CopyRequest, call: Call): Promise<CopyProof>;
  /** Removes an upload in parts that an earlier attempt left and nobody goes on with. Never rejects: a lifecycle rule is the last resort. */
  abandonUpload(upload: { readonly bucket: string; readonly key: string; readonly uploadId: string }): Promise<void>;
  /** Does `destination` hold the pinned content? The proof, or `undefined` where it does not or cannot be told. `uploadedBy` is the ETag that our own copy once got. */
  proves(
    request: {
      readonly source: Pin;
      readonly bucket: string;
      readonly key: string;
      readonly ours?: CopyProof | undefined;
      /** The source is in another store, or none that may be looked at here: it is not compared. */
      readonly sourceElsewhere?: boolean;
    },
    call: Call,
  ): Promise<CopyProof | undefined>;
  /** Deletes the source only while it is the pinned content, else `SourceChanged`. Already gone counts as deleted. */
  deleteUnchanged(pin: Pin, call: Call): Promise<SourceDeleted>;
  headBucket(bucket: string, call: Call): Promise<Bucket>;
  createBucket(request: { readonly bucket: string; readonly region?: string | undefined }, call: Call): Promise<Bucket>;
  deleteBucket(request: { readonly bucket: string; readonly region?: string | undefined }, call: Call): Promise<void>;
  presign(
    request: { readonly object: ObjectRef; readonly method: "get" | "put" | "delete"; readonly expiresIn: number },
    call: Call,
  ): Promise<{ readonly url: string; readonly expiresAt: string }>;
  callerIdentity(call: Call): Promise<{ readonly account?: string; readonly arn?: string }>;
};
