import { Region } from "../../model/region.ts";

type RedirectError = {
  readonly name?: unknown;
  readonly Region?: unknown;
  readonly Endpoint?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
};

/**
 * Where an error says that the bucket lives: `undefined` where it is no redirect, `""` where it is one that does not say.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html#VirtualHostingBackwardsCompatibility
 */
export function redirectRegion(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const error: RedirectError = thrown;
  const status = error.$metadata?.httpStatusCode;
  const named = String(error.name);
  const malformed =
    named === "AuthorizationHeaderMalformed" || named === "PermanentRedirect" || named === "TemporaryRedirect";
  const told = error.$response?.headers?.["x-amz-bucket-region"];
  if (status !== 301 && status !== 307 && !malformed && !(status === 400 && told !== undefined)) return undefined;
  if (told !== undefined) return namedRegion(told) ?? "";
  if (typeof error.Region === "string") return namedRegion(error.Region) ?? "";
  return /\.s3[.-]([a-z0-9-]+)\.amazonaws\.com/.exec(String(error.Endpoint))?.[1] ?? "";
}

/** What a store calls a region, where it is the name of one: it stands in the names of hosts and in what is signed. */
export function namedRegion(told: string | undefined): string | undefined {
  return Region.safeParse(told).data;
}
