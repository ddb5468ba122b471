import { XMLParser } from "fast-xml-parser";

/** One test of the suite, and why it failed. */
export type TestResult = { name: string; outcome: "passed" | "failed" | "skipped"; message: string };

/**
 * What the sandbox does not claim, and why. A test of these may fail; all others may not.
 * Where the reason begins with "AWS", the suite expects what Ceph does, and the sandbox does what AWS documents or was seen to do;
 * none of these was tried on AWS itself.
 */
const NOT_CLAIMED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/_aws2$|presigned_(?:get|put)_object(?:_tenant)?_v2/, "Signature Version 2"],
  [
    /x_amz_expires_out|raw_put_authenticated_expired/,
    "AWS answers AuthorizationQueryParametersError (400) to an X-Amz-Expires out of range",
  ],
  [/tenant/, "tenants, which only Ceph has"],
  [/lifecycle|delete_marker_expiration|bucket_logging|torrent/, "lifecycle, logging, torrents: NotImplemented"],
  [/chunked_transfer_encoding/, "AWS answers NotImplemented to Transfer-Encoding: chunked"],
  [
    /encoding_basic|prefix_unreadable|continuationtoken_empty/,
    "AWS encodes names in listings as forms do, and refuses an empty token",
  ],
  [/unicode_metadata/, "AWS and the sandbox keep the bytes of a header; the suite reads them as Latin-1"],
  [
    /get_part$|copy_invalid_range/,
    "AWS answers InvalidPartNumber (416), and InvalidArgument to a copy range past the end",
  ],
  [/policy_status$/, "AWS answers NoSuchBucketPolicy where there is no policy"],
  [/bucket_encryption_(?:s3|kms)$/, "AWS encrypts every bucket since 2023, and says so"],
  [
    /if_none_match$|put_object_if_match|current_if_match|put_current_object_if_match/,
    "AWS takes only * in If-None-Match of a write (501)",
  ],
  [
    /checksum_(?:sha256|crc64nvme)$|cksum_helper_sha|checksum_object_attributes/,
    "AWS answers InvalidRequest to a malformed checksum, wants the parts' in a completion, and tells them without -N in attributes",
  ],
  [/excess_tags/, "AWS answers BadRequest to more than ten tags"],
  [/upload_return_version_id/, "whether a put to a suspended bucket tells the version id null"],
  [
    /reupload_checksum|^test_multipart_upload(?:_small)?$/,
    "AWS documents NoSuchUpload for an upload that was completed",
  ],
  [/resend_first_finishes_last/, "counts how often an older client reads its file"],
  [/recreate_(?:overwrite|new)_acl/, "AWS lets an owner create its bucket again in us-east-1"],
  [/sse_c_(?:other_key|multipart_bad_download)/, "AWS answers AccessDenied (403) to another key"],
  [/sse_kms_no_key/, "AWS has a key of its own for aws:kms without a key id"],
  [/grant_group_read/, "sorts names that groups do not have"],
  [
    /IfExists|request_obj_tag$/,
    "expects a policy that only allows to refuse the owner, or a header that the test never sends",
  ],
  [
    /bad_(?:contentlength_none|authorization_(?:empty|none))|amz_date/,
    "headers that today's botocore sets again or no more",
  ],
  [/copy_part_enc\[[^-]*-[^-]*-sse-c-STANDARD/, "AWS wants the customer's key of a completion only with checksums"],
  [/delete_marker_nonversioned/, "a header that only Ceph sends for what is missing"],
  [/object_read_unreadable/, "expects a key of UTF-8 to be refused"],
  [/tags_anonymous_request/, "AWS lets only the writer of an object read its tags"],
];

/** Reads the report that pytest writes with --junit-xml. */
export function readResults(xml: string): TestResult[] {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "",
    isArray: (name) => name === "testcase",
  });
  const report = parser.parse(xml) as { testsuites?: { testsuite?: { testcase?: TestCase[] } } }; // pytest's form
  return (report.testsuites?.testsuite?.testcase ?? []).map((one) => {
    const problem = one.failure ?? one.error;
    const outcome = problem !== undefined ? "failed" : one.skipped !== undefined ? "skipped" : "passed";
    return { name: one.name, outcome, message: problem?.message ?? "" };
  });
}

type TestCase = { name: string; failure?: { message?: string }; error?: { message?: string }; skipped?: unknown };

/** Why a failure of this test is none of the sandbox's; undefined where it is. */
export function notClaimed(name: string): string | undefined {
  return NOT_CLAIMED.find(([pattern]) => pattern.test(name))?.[1];
}

/** A table by group, the failures that are claimed, and the reasons of the others. */
export function summarize(results: readonly TestResult[]): { text: string; failed: number } {
  const groups = new Map<string, { passed: number; failed: number; notClaimed: number }>();
  const failures: string[] = [];
  const reasons = new Map<string, number>();
  for (const { name, outcome, message } of results) {
    const group = groups.get(groupOf(name)) ?? { passed: 0, failed: 0, notClaimed: 0 };
    groups.set(groupOf(name), group);
    if (outcome === "passed") group.passed++;
    if (outcome !== "failed") continue;
    const reason = notClaimed(name);
    if (reason === undefined) {
      group.failed++;
      failures.push(`failed: ${name}: ${message.split("\n")[0] ?? ""}`);
    } else {
      group.notClaimed++;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
  const rows = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const total = rows.reduce(
    (sum, [, one]) => ({
      passed: sum.passed + one.passed,
      failed: sum.failed + one.failed,
      notClaimed: sum.notClaimed + one.notClaimed,
    }),
    { passed: 0, failed: 0, notClaimed: 0 },
  );
  const row = (name: string, one: typeof total) => `| ${name} | ${one.passed} | ${one.failed} | ${one.notClaimed} |`;
  const text = [
    "",
    "| group | passed | failed | not claimed |",
    "|---|---|---|---|",
    ...rows.map(([name, one]) => row(name, one)),
    row("all", total),
    "",
    ...[...reasons].map(([reason, count]) => `not claimed, ${count}: ${reason}`),
    ...failures,
    `${total.passed} passed, ${total.failed} failed, ${total.notClaimed} not claimed`,
  ].join("\n");
  return { text, failed: total.failed };
}

const GROUPS: readonly (readonly [RegExp, string])[] = [
  [/post_object/, "forms (POST)"],
  [/object_lock/, "Object Lock"],
  [/cors/, "CORS"],
  [
    /policy|public_block|block_public|public_acls|ownership|bucket_owner|object_writer/,
    "policies, public access, ownership",
  ],
  [/acl|access_bucket|grant|anon|raw_get/, "ACLs and anonymous access"],
  [/encryption|sse|_enc/, "encryption"],
  [/multipart|part/, "multipart uploads"],
  [/version|delete_marker/, "versions"],
  [/list/, "listings"],
  [/copy/, "copies"],
  [/tag/, "tags"],
  [/if_|ifmatch|ifnonematch|ifmodified|ifunmodified|nonexisted/, "conditions"],
  [/checksum|cksum/, "checksums"],
  [/(?:object|bucket)_create_bad|create_(?:date|amz)/, "headers"],
];

function groupOf(name: string): string {
  return GROUPS.find(([pattern]) => pattern.test(name))?.[1] ?? "buckets, objects and the rest";
}
