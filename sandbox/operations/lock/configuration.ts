import { openBucket } from "../../auth/access.ts";
import type { Call } from "../../http/call.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { childText, element, malformed, parseXml, xmlDocument, type XmlElement } from "../../http/xml.ts";
import type { DefaultRetention } from "../../storage/bucket-settings.ts";
import type { World } from "../../storage/world.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html */
export function getObjectLockConfiguration(call: Call, world: World): Reply {
  const { lock } = openBucket(world, call).settings;
  if (lock === undefined) {
    throw new S3Error(
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
      {
        status: 404,
        elements: { BucketName: call.bucket },
      },
    );
  }
  const { retention } = lock;
  const rule =
    retention === undefined
      ? ""
      : `<Rule><DefaultRetention>${element("Mode", retention.mode)}${element("Days", retention.days)}${element("Years", retention.years)}</DefaultRetention></Rule>`;
  return xmlReply(xmlDocument("ObjectLockConfiguration", element("ObjectLockEnabled", "Enabled") + rule));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html */
export async function putObjectLockConfiguration(call: Call, world: World): Promise<Reply> {
  openBucket(world, call);
  const document = parseXml(await receiveDocument(call), "ObjectLockConfiguration");
  const bucket = openBucket(world, call);
  if (bucket.settings.lock === undefined && bucket.versioning !== "Enabled") {
    throw new S3Error(
      "InvalidBucketState",
      "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
      { status: 409 },
    );
  }
  if (childText(document, "ObjectLockEnabled") !== "Enabled") throw malformed();
  const rule = document.children.get("Rule")?.[0];
  const retention = rule === undefined ? undefined : readDefault(rule.children.get("DefaultRetention")?.[0]);
  bucket.settings.lock = retention === undefined ? {} : { retention };
  return emptyReply(200);
}

function readDefault(given: XmlElement | undefined): DefaultRetention {
  if (given === undefined) throw malformed();
  const mode = childText(given, "Mode");
  const [days, years] = [childText(given, "Days"), childText(given, "Years")];
  if ((mode !== "GOVERNANCE" && mode !== "COMPLIANCE") || (days === undefined) === (years === undefined))
    throw malformed();
  const period = Number(days ?? years);
  const longest = days === undefined ? 100 : 36_500;
  if (!Number.isInteger(period) || period < 1 || period > longest) {
    throw new S3Error(
      "InvalidRetentionPeriod",
      `Default retention period must be a positive integer value of at most ${longest}`,
    );
  }
  return days === undefined ? { mode, years: period } : { mode, days: period };
}
