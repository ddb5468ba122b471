import type { AwsCredentialIdentityProvider } from "@smithy/types";
import type { z } from "zod";
import { Region } from "../model/region.ts";
import { type Connection, DEFAULT_TRANSFER } from "./connection.ts";
import { type Proxy, proxyOf, proxyProblems } from "./proxy.ts";
import type { ProfileSettings } from "./profiles-file.ts";
import { HttpUrl } from "./provider-config.ts";

const DEFAULT_REGION = "us-east-1";
const DEFAULT_MULTIPART_THRESHOLD = 256 * 1024 ** 2;

/** What a profile that does not say otherwise uses. */
export type ConnectionDefaults = {
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly stsEndpoint: string | undefined;
  readonly multipartThreshold: number;
  readonly proxy: Proxy | undefined;
};

/** The worker's own settings, then the variables that every AWS tool reads; the problems are those of the variables. */
export function connectionDefaults(
  env: NodeJS.ProcessEnv,
  given: { readonly region?: string | undefined; readonly multipartThreshold?: number | undefined },
): { readonly defaults: ConnectionDefaults; readonly problems: readonly string[] } {
  const problems: string[] = [];
  /** The first of these variables that is set and not empty. */
  const first = (schema: z.ZodType<string>, ...names: readonly string[]): string | undefined => {
    const name = names.find((candidate) => env[candidate]);
    if (name === undefined) return undefined;
    const parsed = schema.safeParse(env[name]);
    if (!parsed.success) problems.push(`${name}: ${parsed.error.issues[0]?.message ?? "not valid"}`);
    return parsed.data;
  };
  const fromEnv = first(Region, "AWS_REGION", "AWS_DEFAULT_REGION");
  const defaults = {
    region: given.region ?? fromEnv ?? DEFAULT_REGION,
    endpoint: first(HttpUrl, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    stsEndpoint: first(HttpUrl, "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"),
    multipartThreshold: given.multipartThreshold ?? DEFAULT_MULTIPART_THRESHOLD,
    proxy: proxyOf(env),
  };
  problems.push(...proxyProblems(defaults.proxy));
  return { defaults, problems: [...new Set(problems)] };
}

/** The connection of one identity: its own settings, then the defaults, of which some hold for AWS alone. */
export function connectionOf(
  name: string,
  credentials: AwsCredentialIdentityProvider,
  { settings, defaults }: { readonly settings: ProfileSettings; readonly defaults: ConnectionDefaults },
): Connection {
  const endpoint = settings.endpoint === "aws" ? undefined : (settings.endpoint ?? defaults.endpoint);
  const onAws = endpoint === undefined;
  const stsEndpoint = stsEndpointOf(settings, defaults);
  return {
    name,
    credentials,
    region: settings.region ?? defaults.region,
    ...(endpoint !== undefined && { endpoint }),
    ...(stsEndpoint !== undefined && { stsEndpoint }),
    pathStyle: settings.pathStyle ?? !onAws,
    checksums: settings.checksums ?? (onAws ? "when-supported" : "when-required"),
    conditionalDelete: settings.conditionalDelete ?? onAws,
    conditionalCopy: settings.conditionalCopy ?? onAws,
    conditionalWrite: settings.conditionalWrite ?? onAws,
    ...(settings.expectedBucketOwner !== undefined && { expectedBucketOwner: settings.expectedBucketOwner }),
    ...(settings.requesterPays !== undefined && { requesterPays: settings.requesterPays }),
    multipartThreshold: settings.multipartThreshold ?? defaults.multipartThreshold,
    uploadThreshold: uploadThreshold(settings, defaults),
    ...(defaults.proxy !== undefined && { proxy: defaults.proxy }),
    ...(settings.transfer !== undefined && { transfer: definedOf(settings.transfer) }),
  };
}

/** The environment's STS belongs to the environment's store: a profile that names a store of its own has none unless it says so. */
export function stsEndpointOf(settings: ProfileSettings, defaults: ConnectionDefaults): string | undefined {
  return settings.stsEndpoint ?? (settings.endpoint === undefined ? defaults.stsEndpoint : undefined);
}

/** A threshold for multipart that somebody chose holds for uploads too: their store may not know multipart at all. */
function uploadThreshold({ transfer, multipartThreshold }: ProfileSettings, defaults: ConnectionDefaults): number {
  if (transfer?.threshold !== undefined) return transfer.threshold;
  const chosen = multipartThreshold ?? defaults.multipartThreshold;
  return chosen === DEFAULT_MULTIPART_THRESHOLD ? DEFAULT_TRANSFER.threshold : chosen;
}

function definedOf({ threshold, partSize, concurrency }: NonNullable<ProfileSettings["transfer"]>) {
  return {
    ...(threshold !== undefined && { threshold }),
    ...(partSize !== undefined && { partSize }),
    ...(concurrency !== undefined && { concurrency }),
  };
}
