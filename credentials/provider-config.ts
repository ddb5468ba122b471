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
      /** Name of an environment variable of the worker. */
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "expected the name of an environment variable" })
        .optional(),
      /** A file whose whole content is the value; it is read again when it changes. */
      file: AbsolutePath.optional(),
    },
    // The value is never quoted: it may be a secret that somebody put here.
    { error: PLACE },
  )
  .refine(({ env, file }) => (env === undefined) !== (file === undefined), { error: PLACE });
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
  roleArn: RoleArn,
  /** Seen in CloudTrail; default `bucketline-<profile>`. */
  sessionName: z
    .string()
    .regex(/^[\w+=,.@-]{2,64}$/, { error: "expected 2 to 64 letters, digits or _+=,.@-" })
    .optional(),
  /** No more than the role's own maximum; default 3,600. */
  durationSeconds: z.int().min(900).max(43_200).optional(),
  /** An IAM policy that narrows the role for this worker. */
  sessionPolicy: z.record(z.string(), z.json()).optional(),
  sessionPolicyArns: z.array(z.string().min(20).max(2048)).min(1).max(10).optional(),
  /** Default: AWS's, or `AWS_ENDPOINT_URL_STS`. */
  stsEndpoint: HttpUrl.optional(),
  /** The region whose STS is asked; default: the profile's. */
  region: Region.optional(),
};

const AwsProfile = z.string().min(1).max(256);
const type = <Name extends string>(name: Name) => ({ type: z.literal(name) });

const Chain = knownFields({ ...type("chain") });
const Static = knownFields({ ...type("static"), accessKeyId: SecretRef, secretAccessKey: SecretRef });
const Session = knownFields({
  ...type("session"),
  accessKeyId: SecretRef,
  secretAccessKey: SecretRef,
  sessionToken: SecretRef,
  /** An ISO 8601 time, where whoever renews the values writes it. */
  expiration: SecretRef.optional(),
});
const WebIdentity = knownFields({ ...type("web-identity"), ...roleFields, tokenFile: AbsolutePath });
const Sso = knownFields({ ...type("sso"), profile: AwsProfile });
const Ini = knownFields({ ...type("ini"), profile: AwsProfile });
const Process = knownFields({
  ...type("process"),
  /** Program and arguments; no shell takes part. */
  command: z
    .array(z.string(), { error: "expected a list of the program and its arguments: no shell runs it" })
    .min(1)
    .optional(),
  /** A profile of AWS's shared configuration with `credential_process`. */
  profile: AwsProfile.optional(),
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
    .optional(),
  /** Whose identity assumes the role: another profile's name, or a provider; default: `chain`. */
  source: z.union([ProfileName, z.lazy((): z.ZodType<ProviderConfig> => ProviderConfig)]).optional(),
});

const kinds = [Chain, Static, Session, AssumeRole, WebIdentity, Sso, Ini, Process, Container, Instance] as const;
const kindNames = "chain, static, session, assume-role, web-identity, sso, ini, process, container, instance";

/** `"chain"`, `"container"` and `"instance"` stand for the object with that type alone. */
export const ProviderConfig: z.ZodType<ProviderConfig> = z.preprocess(
  (value) => (value === "chain" || value === "container" || value === "instance" ? { type: value } : value),
  z.discriminatedUnion("type", kinds, { error: `expected an object with a type: ${kindNames}` }),
);
