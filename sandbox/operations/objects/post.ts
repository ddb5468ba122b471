import { openBucket } from "../../auth/access.ts";
import { checkFormPolicy, formSigner } from "../../auth/post-policy.ts";
import { header, type Call } from "../../http/call.ts";
import { parseForm, type Form } from "../../http/form-data.ts";
import { encryptionHeaders } from "../../http/encryption.ts";
import { factsFromHeaders, tagsFromXml } from "../../http/object-facts.ts";
import { receiveBody } from "../../http/receive-body.ts";
import { emptyReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { element } from "../../http/xml.ts";
import { bodyBytes, bodyMd5, bytesBody, droppedBody, type Body } from "../../storage/body.ts";
import { ALGORITHMS, checksumHeader, computeChecksum } from "../../storage/checksum.ts";
import { nowInSeconds, type Checksum, type StoredObject } from "../../storage/stored-object.ts";
import type { World } from "../../storage/world.ts";
import { requestedProtection } from "../lock/protection.ts";
import { newObjectAcl } from "../permissions/acl-headers.ts";
import { checkWriteConditions, etagFor } from "./put.ts";
import { checkKey } from "./source.ts";

/** An upload from a browser's form. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
export async function postObject(call: Call, world: World): Promise<Reply> {
  const received = await receiveBody(call, {
    sink: false,
    maxSize: world.limits.maxCopySize,
    checksums: "of the object",
  });
  const form = parseForm(bodyBytes(received.body), header(call, "content-type"));
  const upload = asUpload(call, form, world);
  const bucket = openBucket(world, upload);
  checkFormPolicy(new Map(form.fields).set("key", upload.key), bucket.name, form.file.bytes.length);
  checkKey(upload.key);
  // A copy: the file would keep the whole form in memory.
  const body = bytesBody(Buffer.from(form.file.bytes));
  const facts = factsFromHeaders(upload, bucket.settings.encryption);
  const acl = newObjectAcl(upload, world, bucket);
  checkWriteConditions(upload, world, bucket.current(upload.key));
  const object: StoredObject = {
    key: upload.key,
    body: bucket.sink ? droppedBody(body.size) : body,
    etag: etagFor(bodyMd5(body), facts.encryption),
    lastModified: nowInSeconds(),
    facts,
    ...requestedProtection(upload, bucket),
  };
  if (acl !== undefined) object.acl = acl;
  const tagging = form.fields.get("tagging");
  if (tagging !== undefined) object.tags = tagsFromXml(Buffer.from(tagging));
  const checksum = verifiedChecksum(upload, body);
  if (checksum !== undefined) object.checksum = checksum;
  return formReply(call, form, bucket.put(object));
}

/** The call as if the form's fields had been headers of a PUT. */
function asUpload(call: Call, { fields, file }: Form, world: World): Call {
  const key = fields.get("key")?.replaceAll("${filename}", file.name);
  if (key === undefined || key === "") {
    throw new S3Error(
      "InvalidArgument",
      "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      {
        elements: { ArgumentName: "key", ArgumentValue: "" },
      },
    );
  }
  const account = formSigner(fields, world);
  // Headers are bytes in the guise of Latin-1 everywhere else; fields came as UTF-8.
  const headers = Object.fromEntries([...fields].map(([name, value]) => [name, Buffer.from(value).toString("latin1")]));
  const acl = fields.get("acl");
  if (acl !== undefined) headers["x-amz-acl"] = acl;
  const { host } = call.headers;
  return { ...call, key, account, region: "", headers: { ...headers, ...(host !== undefined && { host }) } };
}

function verifiedChecksum(call: Call, body: Body): Checksum | undefined {
  for (const algorithm of ALGORITHMS) {
    const given = header(call, checksumHeader(algorithm));
    if (given === undefined) continue;
    const checksum = computeChecksum(body, algorithm);
    if (checksum?.value !== given)
      throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
    return checksum;
  }
  return undefined;
}

function formReply(call: Call, { fields }: Form, stored: StoredObject): Reply {
  const location = `http://${header(call, "host") ?? ""}/${call.bucket}/${encodeURIComponent(stored.key).replaceAll("%2F", "/")}`;
  const headers = ["ETag", `"${stored.etag}"`, "Location", location, ...encryptionHeaders(stored.facts.encryption)];
  if (stored.versionId !== undefined) headers.push("x-amz-version-id", stored.versionId);
  const redirect = fields.get("success_action_redirect") ?? fields.get("redirect");
  if (redirect !== undefined && URL.canParse(redirect)) {
    const query = `bucket=${encodeURIComponent(call.bucket)}&key=${encodeURIComponent(stored.key)}&etag=${encodeURIComponent(`"${stored.etag}"`)}`;
    return emptyReply(303, ["Location", `${redirect}${redirect.includes("?") ? "&" : "?"}${query}`]);
  }
  const status = fields.get("success_action_status");
  if (status === "200") return emptyReply(200, headers);
  if (status !== "201") return emptyReply(204, headers);
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${element("Location", location)}${element("Bucket", call.bucket)}${element("Key", stored.key)}${element("ETag", `"${stored.etag}"`)}</PostResponse>`;
  return { status: 201, headers: ["Content-Type", "application/xml", ...headers], body };
}
