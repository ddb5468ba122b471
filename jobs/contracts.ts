import type { z } from "zod";
import type { Contract } from "./contract.ts";
import { copyObject } from "./copy-object/contract.ts";
import { createBucket } from "./create-bucket/contract.ts";
import { deleteBucket } from "./delete-bucket/contract.ts";
import { deleteObject } from "./delete-object/contract.ts";
import { getObject } from "./get-object/contract.ts";
import { headBucket } from "./head-bucket/contract.ts";
import { headObject } from "./head-object/contract.ts";
import { listBuckets } from "./list-buckets/contract.ts";
import { listObjects } from "./list-objects/contract.ts";
import { listPrefixes } from "./list-prefixes/contract.ts";
import { moveObject } from "./move-object/contract.ts";
import { presignObject } from "./presign-object/contract.ts";
import { putObject } from "./put-object/contract.ts";
import { validateCredentials } from "./validate-credentials/contract.ts";

export { ActivityError, type ActivityErrorFields } from "../model/activity-error.ts";
export type { Contract, ListContract, ListResult, SecretContract } from "./contract.ts";
export {
  Bucket,
  CredentialsRef,
  Destination,
  DocumentPointer,
  ObjectDetails,
  ObjectRef,
  Prefix,
  S3Object,
} from "../model/entities.ts";
export type { ByteRange, Guarantee, OnConflict, OnOverlap, Verified, WrittenObject } from "../model/entities.ts";
export type { ObjectLock } from "../model/attributes/object-lock.ts";
export type { CannedAcl, Encryption, ObjectAttributes } from "../model/object-attributes.ts";

/** Every activity by its name. */
export const contracts = {
  "list-buckets": listBuckets,
  "list-prefixes": listPrefixes,
  "list-objects": listObjects,
  "get-object": getObject,
  "put-object": putObject,
  "delete-object": deleteObject,
  "copy-object": copyObject,
  "move-object": moveObject,
  "head-object": headObject,
  "head-bucket": headBucket,
  "create-bucket": createBucket,
  "delete-bucket": deleteBucket,
  "presign-object": presignObject,
  "validate-credentials": validateCredentials,
} as const;

export type Contracts = typeof contracts;
export type ActivityName = keyof Contracts;

/** What a producer passes: defaults may be left out. */
export type ActivityInput<Name extends ActivityName> = z.input<Contracts[Name]["input"]>;

/** The stored form of a result; lists may be spilled, and secrets lie in a document. */
export type StoredResult<Name extends ActivityName> = z.output<Contracts[Name]["result"]>;

/** Activities that return a list. */
export type ListActivityName = {
  [Name in ActivityName]: Contracts[Name] extends { readonly list: { readonly entity: z.ZodType } } ? Name : never;
}[ActivityName];

type ListNameOf<C> = C extends { list: { name: infer Name extends string } } ? Name : never;
type EntityOf<C> = C extends { list: { entity: infer Entity extends z.ZodType } } ? z.output<Entity> : never;

/** What one line of a list is. */
export type ActivityEntity<Name extends ListActivityName> = EntityOf<Contracts[Name]>;

/** What a producer gets: lists are whole and secrets are told, wherever they were stored. */
export type ActivityResult<Name extends ActivityName> = Name extends ListActivityName
  ? { readonly count: number } & {
      readonly [List in ListNameOf<Contracts[Name]>]: readonly EntityOf<Contracts[Name]>[];
    }
  : Contracts[Name] extends { readonly secret: infer Secret extends z.ZodType }
    ? z.output<Secret>
    : StoredResult<Name>;

export const activityNames = Object.keys(contracts) as readonly ActivityName[]; // its keys are exactly the names

/**
 * The contract under a name that came from outside, or `undefined`.
 *
 * @example
 * import { findContract } from "bucketline/jobs";
 *
 * console.log(findContract("move-object")?.input.safeParse({}).success);
 */
export function findContract(name: string): Contract | undefined {
  return Object.hasOwn(contracts, name) ? (contracts as Record<string, Contract>)[name] : undefined;
}
