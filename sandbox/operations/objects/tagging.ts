import type { Call } from "../../http/call.ts";
import { tagsFromXml } from "../../http/object-facts.ts";
import { compareKeys } from "../../storage/key-order.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import type { World } from "../../storage/world.ts";
import { element, xmlDocument } from "../../http/xml.ts";
import { openObject } from "./source.ts";

function open(call: Call, world: World) {
  const { bucket, object } = openObject(call, world);
  const headers = object.versionId === undefined ? [] : ["x-amz-version-id", object.versionId];
  return { bucket, object, headers };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html */
export function getObjectTagging(call: Call, world: World): Reply {
  const { object, headers } = open(call, world);
  const tags = (object.tags ?? [])
    .toSorted((a, b) => compareKeys(a.key, b.key))
    .map((tag) => `<Tag>${element("Key", tag.key)}${element("Value", tag.value)}</Tag>`);
  return xmlReply(xmlDocument("Tagging", `<TagSet>${tags.join("")}</TagSet>`), headers);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html */
export async function putObjectTagging(call: Call, world: World): Promise<Reply> {
  open(call, world);
  const tags = tagsFromXml(await receiveDocument(call));
  const { bucket, object, headers } = open(call, world);
  bucket.update(object, { tags });
  return emptyReply(200, headers);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html */
export function deleteObjectTagging(call: Call, world: World): Reply {
  const { bucket, object, headers } = open(call, world);
  bucket.update(object, { tags: [] });
  return emptyReply(204, headers);
}
