import { GetObjectAclCommand, GetObjectTaggingCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { CustomerKey } from "../../credentials/resolved-profile.ts";
import { ATTRIBUTES, META } from "../../s3/requests/attributes/table.ts";
import { keyInput } from "../../s3/requests/customer-key.ts";
import { captureHeaders } from "../../s3/transport/capture-headers.ts";

export const SSE = "x-amz-server-side-encryption";
const OF_OBJECTS = new Set<string>([...ATTRIBUTES.map(({ header: sent }) => sent), "x-amz-storage-class"]);
const OF_GROUPS = [META, SSE, "x-amz-object-lock-"];

/** An object's headers as any client gets them, bytes as Latin-1, its tags, and what others than its owner may. */
export async function seen(
  can: { readonly acls: readonly unknown[] },
  client: S3Client,
  { bucket, name, key }: { bucket: string; name: string; key: CustomerKey | undefined },
) {
  const object = { Bucket: bucket, Key: name };
  const head = new HeadObjectCommand({ ...object, ...keyInput(key) });
  const headers: Record<string, string> = {};
  captureHeaders(head.middlewareStack, (all) => {
    for (const [sent, value] of Object.entries(all))
      if (OF_OBJECTS.has(sent) || OF_GROUPS.some((group) => sent.startsWith(group))) headers[sent] = String(value);
  });
  await client.send(head);
  const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(object));
  const grants: string[] = [];
  if (can.acls.length > 0) {
    const { Owner, Grants = [] } = await client.send(new GetObjectAclCommand(object));
    for (const { Grantee, Permission } of Grants)
      if (Grantee?.ID !== Owner?.ID) grants.push(`${Grantee?.URI ?? Grantee?.ID ?? ""} ${Permission ?? ""}`);
  }
  return {
    headers,
    tags: Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value])),
    grants: grants.toSorted(),
  };
}
