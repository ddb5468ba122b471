import { GetObjectTaggingCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectRef } from "../../model/entities.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { tagsOverflow } from "./attributes/input.ts";
import { headFacts } from "./head.ts";
import type { Call, CopyRequest } from "../interface.ts";
import { send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";

export type Tags = Readonly<Record<string, string>>;

/** How a store says that it has no tags at all. */
const UNSUPPORTED = new Set(["NotImplemented", "MethodNotAllowed", "NoSuchTagSet"]);

/** An object's tags. */
export async function tags(store: Store, object: ObjectRef, call: Call): Promise<Tags> {
  const { bucket, key, versionId } = object;
  const about: About = { operation: "GetObjectTagging", bucket, key, versionId };
  const make = (): GetObjectTaggingCommand =>
    new GetObjectTaggingCommand({ Bucket: bucket, Key: key, VersionId: versionId, ...ownedBy(store) });
  const { TagSet } = await send(store, make, about, call);
  if (TagSet !== undefined) return Object.fromEntries(TagSet.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
  // Ceph's gateway leaves an empty set out, which looks like any foreign answer: HEAD says whether there are tags.
  const { tagCount } = await headFacts(store, { object }, call);
  if (tagCount > 0) throw unproven(about, `a set of ${tagCount} tags`, 200);
  return {};
}

/** As {@link tags}, and none where the store has no tags at all. Tags that may not be read are an error, as a copy would lose them. */
export async function tagsIfAny(read: () => Promise<Tags>): Promise<Tags> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ActivityError && UNSUPPORTED.has(error.code)) return {};
    throw error;
  }
}

/** As {@link tagsIfAny}; `undefined` where they may not be read. */
export async function tagsIfReadable(read: () => Promise<Tags>): Promise<Tags | undefined> {
  try {
    return await tagsIfAny(read);
  } catch (error) {
    if (error instanceof ActivityError && error.httpStatus === 403) return undefined;
    throw error;
  }
}

/** Goes on without tags that may not be read, where the caller may leave them. Throws `AccessDenied` where it may not, or where there are some. */
export function leaveUnreadTags(source: ObjectRef, tagCount: number, unreadTags: CopyRequest["unreadTags"]): void {
  if (tagCount === 0 && unreadTags === "leave") return;
  const found = tagCount === 0 ? "the tags" : `the ${tagCount} tags`;
  throw new ActivityError(
    "AccessDenied",
    `expected to be allowed to see ${found} of ${nameOf(source)}; allow s3:GetObjectTagging, or say which tags the copy gets (tags: {} for none)`,
    { httpStatus: 403 },
  );
}

/**
 * Sees to it that an object just written has its tags: Ceph's gateway, for one, takes them with a multipart upload and drops them
 * without a word. AWS keeps them, so it is asked only where they did not fit into the write's header.
 */
export async function settleTags(store: Store, object: ObjectRef, wanted: Tags | undefined, call: Call): Promise<void> {
  if (wanted === undefined || Object.keys(wanted).length === 0) return;
  if (store.connection.endpoint === undefined && !tagsOverflow(wanted)) return;
  const read = (): Promise<Tags> => tagsIfAny(() => tags(store, object, call));
  if (same(await read(), wanted)) return;
  const { bucket, key, versionId } = object;
  const TagSet = Object.entries(wanted).map(([Key, Value]) => ({ Key, Value }));
  const make = (): PutObjectTaggingCommand =>
    new PutObjectTaggingCommand({
      Bucket: bucket,
      Key: key,
      VersionId: versionId,
      Tagging: { TagSet },
      ...ownedBy(store),
    });
  await send(store, make, { operation: "PutObjectTagging", bucket, key, versionId }, call);
  if (!same(await read(), wanted))
    throw new ActivityError(
      "VerificationFailed",
      `expected ${nameOf(object)} to have ${TagSet.length} tags, the store does not keep them`,
    );
}

function same(one: Tags, other: Tags): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
