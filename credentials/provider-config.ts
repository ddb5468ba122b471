import { isAbsolute } from "node:path";
import { z } from "zod";
import { ProfileName } from "../model/entities.ts";
import { Region } from "../model/region.ts";
import { knownFields } from "./known-fields.ts";

/** Files are named absolutely, because a worker's directory is not the author's. */
export const AbsolutePath = z.string().refine(isAbsolute, { error: "expected an absolute path" });

const PLACE = 'expected { "env": "NAME" } or { "file": "/path" }: secret values do not belong in this file';

/** Where a secret value is found; never the value, because this file is not a secret store. */
export const SecretRef = z
  .strictObject(
    {
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "expected the name of an environment variable" })
        .optional()
        .meta({ description: "Name of an environment variable of the worker that holds the value" }),
      file: AbsolutePath.optional().meta({
        description: "A file whose whole content is the value; it is read again when it changes",
      }),
    },
    // The value is never quoted: it may be a secret that somebody put here.
    { error: PLACE },
  )
  .refine(({ env, file }) => (env === undefined) !== (file === undefined), { error: PLACE })
  .meta({ id: "SecretRef", description: "Where a secret value is found: { env } or { file }. Never the value" });
export type SecretRef = z.infer<typeof SecretRef>;

const RoleArn = z.string().regex(/^arn:[\w-]+:(?:iam|sts)::\d*:role\/.+$/, {
  error: "expected a role ARN such as arn:aws:iam::123456789012:role/name",
});

/** An http or https URL without user, query or fragment; a slash at the end is dropped. */
export const HttpUrl = z.string().transform((text, context) => {
  const url = URL.parse(text);
  const plain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (plain && (url.protocol === "http:" || url.protocol === "https:")) return text.replace(/\/+$/, "");
  context.addIssue({ code: "custom", message: "expected an http or https URL without user, query or fragment" });
  return z.NEVER;
});

/** What AssumeRole and AssumeRoleWithWebIdentity share. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const roleFields = {
  roleArn: RoleArn.meta({ description: "ARN of the role" }),
  sessionName: z
    .string()
    .regex(/^[\w+=,.@-]{2,64}$/, { error: "expected 2 to 64 letters, digits or _+=,.@-" })
    .optional()
    .meta({ description: "Name of the session, seen in CloudTrail. Default: bucketline-<profile>" }),
  durationSeconds: z
    .int()
    .min(900)
    .max(43_200)
    .optional()
    .meta({ description: "Seconds that a session lives, no more than the role allows. Default: 3600" }),
  sessionPolicy: z
    .record(z.string(), z.json())
    .optional()
    .meta({ description: "An IAM policy that narrows the role for this worker" }),
  sessionPolicyArns: z
    .array(z.string().min(20).max(2048))
    .min(1)
    .max(10)
    .optional()
    .meta({ description: "ARNs of managed policies that narrow the role" }),
  stsEndpoint: HttpUrl.optional().meta({
    description: "URL of the STS that is asked. Default: AWS's, or AWS_ENDPOINT_URL_STS",
  }),
  region: Region.optional().meta({ description: "Region whose STS is asked. Default: the profile's" }),
};

const AwsProfile = z.string().min(1).max(256).meta({ description: "A profile of AWS's shared configuration" });
const type = <Name extends string>(name: Name) => ({
  type: z.literal(name).meta({ description: "How the identity is obtained" }),
});
const accessKeyId = SecretRef.meta({ description: "Where the access key id is" });
const secretAccessKey = SecretRef.meta({ description: "Where the secret access key is" });

const Chain = knownFields({ ...type("chain") });
const Static = knownFields({ ...type("static"), accessKeyId, secretAccessKey });
const Session = knownFields({
  ...type("session"),
  accessKeyId,
  secretAccessKey,
  sessionToken: SecretRef.meta({ description: "Where the session token is" }),
  expiration: SecretRef.optional().meta({
    description: "Where the time of its end is, in ISO 8601, if whoever renews the values writes it",
  }),
});
const WebIdentity = knownFields({
  ...type("web-identity"),
  ...roleFields,
  tokenFile: AbsolutePath.meta({
    description: "File that holds the web identity's token; it is read at every renewal",
  }),
});
const Sso = knownFields({ ...type("sso"), profile: AwsProfile });
const Ini = knownFields({ ...type("ini"), profile: AwsProfile });
const Process = knownFields({
  ...type("process"),
  command: z
    .array(z.string(), { error: "expected a list of the program and its arguments: no shell runs it" })
    .min(1)
    .optional()
    .meta({ description: "Program and arguments, run without a shell; prints credentials as credential_process does" }),
  profile: AwsProfile.optional().meta({
    description: "A profile of AWS's shared configuration with credential_process",
  }),
}).refine(({ command, profile }) => (command === undefined) !== (profile === undefined), {
  error: "expected either command or profile",
});
const Container = knownFields({ ...type("container") });
const Instance = knownFields({ ...type("instance") });

type RoleFields = z.infer<z.ZodObject<typeof roleFields>>;
export type AssumeRoleConfig = RoleFields & {
  readonly type: "assume-role";
  readonly externalId?: string | undefined;
  readonly source?: string | ProviderConfig | undefined;
};

/** How the identity of a profile is obtained. */
export type ProviderConfig =
  | z.infer<typeof Chain>
  | z.infer<typeof Static>
  | z.infer<typeof Session>
  | AssumeRoleConfig
  | z.infer<typeof WebIdentity>
  | z.infer<typeof Sso>
  | z.infer<typeof Ini>
  | z.infer<typeof Process>
  | z.infer<typeof Container>
  | z.infer<typeof Instance>;

const AssumeRole = knownFields({
  ...type("assume-role"),
  ...roleFields,
  externalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/, { error: "expected 2 to 1,224 letters, digits or _+=,.@:/-" })
    .optional()
    .meta({ description: "The external id that the role's trust policy asks for" }),
  source: z
    .union([ProfileName, z.lazy((): z.ZodType<ProviderConfig> => ProviderConfig)])
    .optional()
    .meta({ description: "Whose identity assumes the role: another profile's name, or a provider. Default: chain" }),
});

const kinds = [Chain, Static, Session, AssumeRole, WebIdentity, Sso, Ini, Process, Container, Instance] as const;
const kindNames = "chain, static, session, assume-role, web-identity, sso, ini, process, container, instance";

/** Providers that need no more than their name: `"chain"` stands for `{ "type": "chain" }`. */
export const PLAIN_PROVIDERS: readonly unknown[] = ["chain", "container", "instance"];

export const ProviderConfig: z.ZodType<ProviderConfig> = z
  .preprocess(
    (value) => (PLAIN_PROVIDERS.includes(value) ? { type: value } : value),
    z.discriminatedUnion("type", kinds, { error: `expected an object with a type: ${kindNames}` }),
  )
  .meta({ id: "Provider", description: `How the identity is obtained: ${kindNames}` });
