import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { activityNames } from "../jobs/contracts.ts";
import { ProfileName } from "../model/entities.ts";
import { CustomerKeyRef } from "../model/customer-key.ts";
import { Region } from "../model/region.ts";
import { didYouMean } from "../model/closest-name.ts";
import { expectation } from "../model/problems/expectation.ts";
import { knownFields } from "./known-fields.ts";
import { bucketPattern } from "./policy.ts";
import { HttpUrl, ProviderConfig, SecretRef } from "./provider-config.ts";

/** Parts of a multipart upload, but the last, have at least this. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_MULTIPART = 5 * 1024 ** 2;
/** CopyObject and PutObject end here. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const MAX_MULTIPART_THRESHOLD = 5 * 1024 ** 3;

const Activity = z.enum([...activityNames, "*"], {
  error: ({ input }) =>
    `expected an activity or "*", got ${JSON.stringify(input)}${typeof input === "string" ? didYouMean(input, activityNames) : ""}`,
});

const BucketPattern = z.string().superRefine((pattern, context) => {
  try {
    bucketPattern(pattern);
  } catch (error) {
    // bucketPattern throws Errors whose message says what is wrong with the pattern.
    context.addIssue({ code: "custom", message: `not a bucket pattern: ${(error as Error).message}` });
  }
});

const Allowance = knownFields({
  activities: z.array(Activity).min(1).meta({ description: "What may be done: names of activities, or *" }),
  buckets: z.array(BucketPattern).min(1).meta({ description: "Where: names of buckets; * stands for any characters" }),
  prefixes: z
    .array(z.string().min(1, { error: "expected a prefix; to allow all keys leave prefixes out" }))
    .min(1)
    .optional()
    .meta({ description: "Only keys that start with one of these. Default: all keys" }),
});

const settings = {
  region: Region.optional().meta({
    description: "Region of the store. Default: BUCKETLINE_REGION, AWS_REGION, AWS_DEFAULT_REGION, us-east-1",
  }),
  endpoint: z
    .union([z.literal("aws"), HttpUrl], { error: "expected an http or https URL, or aws" })
    .optional()
    .meta({
      description: "URL of the store; aws: AWS, whatever the environment says. Default: AWS_ENDPOINT_URL_S3, else AWS",
    }),
  stsEndpoint: HttpUrl.optional().meta({
    description:
      "URL of the STS that says who the credentials are, and that assumes roles which name none of their own",
  }),
  pathStyle: z
    .boolean()
    .optional()
    .meta({ description: "Buckets in the path instead of the host name. Default: true with an endpoint, else false" }),
  checksums: z.enum(["when-supported", "when-required"]).optional().meta({
    description: "Whether uploads carry CRC32 checksums. Default: when-required with an endpoint, else when-supported",
  }),
  conditionalDelete: z.boolean().optional().meta({
    description: "Whether the store enforces If-Match on deletes. Default: false with an endpoint, else true",
  }),
  conditionalCopy: z.boolean().optional().meta({
    description: "Whether the store enforces x-amz-copy-source-if-match. Default: false with an endpoint, else true",
  }),
  conditionalWrite: z.boolean().optional().meta({
    description:
      "Whether the store enforces If-None-Match on uploads and on what copies write. Default: false with an endpoint, else true",
  }),
  expectedBucketOwner: z
    .string()
    .regex(/^\d{12}$/, { error: "expected the twelve digits of an account" })
    .optional()
    .meta({ description: "Account that every bucket must belong to: its twelve digits" }),
  requesterPays: z.boolean().optional().meta({
    description: "The requester pays for requests and traffic, in buckets whose owners want that. Default: false",
  }),
  customerKeys: z.record(CustomerKeyRef.options[0], SecretRef).optional().meta({
    description: "Keys of the customer's that jobs may name (SSE-C), each 32 bytes in base64",
  }),
  multipartThreshold: z.int().min(MIN_MULTIPART).max(MAX_MULTIPART_THRESHOLD).optional().meta({
    description: "Bytes above which copies inside the store go in parts. Default: BUCKETLINE_MULTIPART_THRESHOLD",
  }),
  transfer: knownFields({
    threshold: z
      .int()
      .min(MIN_MULTIPART)
      .max(MAX_MULTIPART_THRESHOLD)
      .optional()
      .meta({ description: "Bytes above which an object goes in parts. Default: 16777216" }),
    partSize: z.int().min(MIN_MULTIPART).max(MAX_MULTIPART_THRESHOLD).optional().meta({
      description:
        "Bytes of a part. Default: BUCKETLINE_UPLOAD_PART_SIZE (5 MiB) for uploads, the same but at least 8 MiB for downloads",
    }),
    concurrency: z.int().min(1).max(64).optional().meta({
      description:
        "Parts of one object under way at once, each over its connection. Default: 12 of a download, 9 of an upload",
    }),
  })
    .optional()
    .meta({ description: "How large objects that pass through the worker are cut" }),
  allow: z
    .array(Allowance)
    .optional()
    .meta({ description: "What jobs may do with it. Default: everything; in `sealed`: nothing" }),
};

const Settings = knownFields(settings);
const Profile = knownFields({ provider: ProviderConfig, ...settings });
export const ProfilesFile = knownFields({
  $schema: z.string().optional().meta({ description: "An editor's pointer to this schema; ignored" }),
  profiles: z
    .record(ProfileName, Profile, {
      error: ({ code }) =>
        code === "invalid_type" ? 'expected connections by name: { "profiles": { "default": { … } } }' : undefined,
    })
    .refine((profiles) => Object.keys(profiles).length > 0, { error: "expected at least one profile" })
    .meta({ description: "Connections by name; jobs that name none use `default`" }),
  sealed: Settings.optional().meta({ description: "For credentials that apps seal: everything but the keys" }),
});

export type ProfileSettings = z.infer<typeof Settings>;
export type ProfilesFile = z.infer<typeof ProfilesFile>;

/** Where nothing could be read. */
const NONE: ProfilesFile = { profiles: {} };

/** Reads and checks the file: what is in it, or every problem at once, each with its path. */
export async function readProfilesFile(
  path: string,
): Promise<{ readonly config: ProfilesFile; readonly problems: readonly string[] }> {
  const text = await readText(path);
  if (typeof text === "object") return { config: NONE, problems: [text.problem] };
  const json = parseJson(text, path);
  if ("problem" in json) return { config: NONE, problems: [json.problem] };
  const parsed = ProfilesFile.safeParse(json.value);
  if (parsed.success) return { config: parsed.data, problems: [] };
  return { config: NONE, problems: [...new Set(parsed.error.issues.flatMap(describe))] };
}

/** One error for all that is wrong with a profiles file. */
export function invalidProfiles(path: string | undefined, problems: readonly string[]): ActivityError {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  const lines = problems.map((problem) => `\n  - ${problem}`).join("");
  const what = path === undefined ? "the AWS environment" : `the profiles file ${path}`;
  return new ActivityError("InvalidConfiguration", `${what} has ${count}:${lines}`);
}

async function readText(path: string): Promise<string | { readonly problem: string }> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable"; // node:fs throws nothing else
    return { problem: `expected a readable profiles file at ${path}, got ${code}` };
  }
}

function parseJson(text: string, path: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    // Some editors begin with a mark of the byte order.
    return { value: JSON.parse(text.replace(/^\uFEFF/, "")) };
  } catch (error) {
    // V8's message quotes the text, which may be a secret in the wrong place; only its position is told, and no cause kept.
    const position = /\(?line \d+ column \d+\)?/.exec(error instanceof Error ? error.message : "")?.[0] ?? "";
    return { problem: `expected JSON in the profiles file ${path} ${position}`.trimEnd() };
  }
}

/** A union reports one issue that holds those of its members; the member that came furthest is the one that was meant. */
function describe(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const meant = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
    if (depth(meant) === 0 && issue.message !== "Invalid input") return [`${pathOf(issue)}: ${told(issue)}`];
    return meant.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  return [`${pathOf(issue)}: ${told(issue)}`];
}

function pathOf({ path }: z.core.$ZodIssue): string {
  return path.map(String).join(".") || "the file";
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

/** What zod says of the type that it got is never the value itself. */
function told(issue: z.core.$ZodIssue): string {
  const got = /, received (.*)$/s.exec(issue.message)?.[1];
  if (got === undefined) return expectation(issue);
  return `${expectation(issue)}, got ${got === "undefined" ? "nothing" : got}`;
}
