import { GetObjectTaggingCommand } from "@aws-sdk/client-s3";
import type { ObjectRef } from "../../jobs/entities.ts";
import { type About, unproven } from "./error-mapping.ts";
import type { Call } from "./s3.ts";
import { send } from "./send.ts";
import { ownedBy, type Store } from "./store.ts";

/** An object's tags. */
export async function tags(store: Store, object: ObjectRef, call: Call): Promise<Readonly<Record<string, string>>> {
  const { bucket, key, versionId } = object;
  const about: About = { operation: "GetObjectTagging", bucket, key, versionId };
  const make = (): GetObjectTaggingCommand =>
    new GetObjectTaggingCommand({ Bucket: bucket, Key: key, VersionId: versionId, ...ownedBy(store) });
  const { TagSet } = await send(store, make, about, call);
  if (TagSet === undefined) throw unproven(about, "a tag set", 200);
  return Object.fromEntries(TagSet.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}
