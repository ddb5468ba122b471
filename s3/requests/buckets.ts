import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  type ListBucketsOutput,
} from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { Bucket } from "../../model/entities.ts";
import { type About, unproven } from "../error-mapping.ts";
import type { Call } from "../interface.ts";
import { namedRegion } from "../transport/redirect-region.ts";
import { regionOf, send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";

/** All buckets of the account, page by page. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export async function* listBuckets(
  store: Store,
  { prefix }: { readonly prefix?: string | undefined },
  call: Call,
): AsyncGenerator<readonly Bucket[]> {
  const about: About = { operation: "ListBuckets" };
  let token: string | undefined;
  do {
    const make = (): ListBucketsCommand =>
      new ListBucketsCommand({ Prefix: prefix, MaxBuckets: 1_000, ContinuationToken: token });
    const answer: ListBucketsOutput = await send(store, make, about, call);
    if (answer.Buckets === undefined && answer.Owner === undefined) throw unproven(about, "a list of buckets", 200);
    // Some stores ignore the prefix.
    yield (answer.Buckets ?? []).flatMap((bucket) => listed(bucket, prefix ?? ""));
    const next = answer.ContinuationToken;
    if (next !== undefined && next === token)
      throw unproven(about, "a new continuation token, not the one that was sent", 200);
    token = next === "" ? undefined : next;
  } while (token !== undefined);
}

function listed(bucket: NonNullable<ListBucketsOutput["Buckets"]>[number], prefix: string): Bucket[] {
  const { Name, CreationDate, BucketRegion } = bucket;
  if (Name === undefined || !Name.startsWith(prefix)) return [];
  return [
    {
      name: Name,
      ...(CreationDate !== undefined && { creationDate: CreationDate.toISOString() }),
      ...(BucketRegion !== undefined && { region: BucketRegion }),
    },
  ];
}

/** Whether the bucket is there and may be used, and where it is. */
export async function headBucket(store: Store, bucket: string, call: Call): Promise<Bucket> {
  const make = (): HeadBucketCommand => new HeadBucketCommand({ Bucket: bucket, ...ownedBy(store) });
  const told = namedRegion((await send(store, make, { operation: "HeadBucket", bucket }, call)).BucketRegion);
  if (told !== undefined) store.regions.set(bucket, told);
  return { name: bucket, region: told ?? (await regionOf(store, bucket, call)) };
}

/**
 * Makes a bucket; one that is already ours counts as made. us-east-1 is where a bucket goes without a location, and naming
 * it there is an error. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 */
export async function createBucket(
  store: Store,
  request: { readonly bucket: string; readonly region?: string | undefined },
  call: Call,
): Promise<Bucket> {
  const { bucket, region = store.connection.region } = request;
  // Other stores may have regions that the SDK does not know.
  const LocationConstraint = region as BucketLocationConstraint;
  const make = (): CreateBucketCommand =>
    new CreateBucketCommand({
      Bucket: bucket,
      ...(region !== "us-east-1" && { CreateBucketConfiguration: { LocationConstraint } }),
    });
  try {
    await send(store, make, { operation: "CreateBucket", bucket }, call, { region });
  } catch (error) {
    if (!(error instanceof ActivityError) || !(await isOurs(store, bucket, error, call))) throw error;
    // It may have been made earlier in another region.
    return await headBucket(store, bucket, call);
  }
  store.regions.set(bucket, region);
  return { name: bucket, region };
}

/** AWS says whose a bucket is that is there already. Other stores may not, and then list it among ours. */
async function isOurs(store: Store, bucket: string, { code }: ActivityError, call: Call): Promise<boolean> {
  if (code === "BucketAlreadyOwnedByYou") return true;
  if (code !== "BucketAlreadyExists" || store.connection.endpoint === undefined) return false;
  for await (const page of listBuckets(store, { prefix: bucket }, call))
    if (page.some(({ name }) => name === bucket)) return true;
  return false;
}

/** Deletes an empty bucket. */
export async function deleteBucket(
  store: Store,
  request: { readonly bucket: string; readonly region?: string | undefined },
  call: Call,
): Promise<void> {
  const { bucket, region } = request;
  const make = (): DeleteBucketCommand => new DeleteBucketCommand({ Bucket: bucket, ...ownedBy(store) });
  await send(store, make, { operation: "DeleteBucket", bucket }, call, region === undefined ? {} : { region });
  store.regions.delete(bucket);
}
