import type { S3Client } from "@aws-sdk/client-s3";
import { LRUCache } from "lru-cache";
import type { Clients } from "./clients.ts";

/** Where requests for one bucket go. */
export type FastTarget = {
  readonly origin: string;
  readonly host: string;
  /** What comes before the key's slash: empty, or `/bucket` on path style. */
  readonly basePath: string;
  readonly region: string;
};

/** Finds targets by the SDK's own endpoint rules, once for each bucket and region: partitions, path style, dotted names, FIPS. */
export type FastTargets = (bucket: string, region: string) => FastTarget | undefined | Promise<FastTarget | undefined>;

/** Remembered for "the SDK has to do it": directory buckets sign by sessions, for one. */
const NONE = Symbol("none");

export function createFastTargets(clients: Clients): FastTargets {
  const targets = new LRUCache<string, FastTarget | typeof NONE>({ max: 10_000 });

  async function resolve(bucket: string, region: string): Promise<FastTarget | undefined> {
    const target = await resolveTarget(clients.forRegion(region), bucket, region);
    targets.set(`${region} ${bucket}`, target ?? NONE);
    return target;
  }

  return (bucket, region) => {
    const known = targets.get(`${region} ${bucket}`);
    if (known === undefined) return resolve(bucket, region);
    return known === NONE ? undefined : known;
  };
}

async function resolveTarget({ config }: S3Client, bucket: string, region: string): Promise<FastTarget | undefined> {
  const [custom, UseFIPS, UseDualStack] = await Promise.all([
    config.endpoint?.(),
    config.useFipsEndpoint(),
    config.useDualstackEndpoint(),
  ]);
  const Endpoint = custom === undefined ? undefined : urlOf(custom);
  const { url, properties } = config.endpointProvider({
    Bucket: bucket,
    Region: region,
    UseFIPS,
    UseDualStack,
    ForcePathStyle: config.forcePathStyle === true,
    ...(Endpoint !== undefined && { Endpoint }),
  });
  // The rules give each endpoint its ways to sign, best first; the SDK types them as unknown.
  const schemes = properties?.["authSchemes"] as
    | readonly { readonly name: string; readonly signingRegion?: string }[]
    | undefined;
  const scheme = schemes?.[0];
  if (scheme === undefined || scheme.name !== "sigv4") return undefined;
  return {
    origin: url.origin,
    host: url.host,
    basePath: url.pathname.replace(/\/$/, ""),
    region: scheme.signingRegion ?? region,
  };
}

function urlOf(endpoint: {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
}): string {
  const port = endpoint.port === undefined ? "" : `:${endpoint.port}`;
  return `${endpoint.protocol}//${endpoint.hostname}${port}${endpoint.path}`;
}
