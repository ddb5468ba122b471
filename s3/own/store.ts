import { S3Client } from "@aws-sdk/client-s3";
import type { Connection } from "../../credentials/connection.ts";
import { type StoreBase, withDefaults } from "../options.ts";
import { createClients } from "../transport/clients.ts";
import { createCredentialCache } from "../transport/credential-cache.ts";
import type { OwnSettings } from "./settings.ts";

/** Where AWS's own configuration names no region either: its endpoint there tells where a bucket lives. */
const ANY_REGION = "us-east-1";

/** What one bucket's requests share. Without the fast path and what it loads: an app adds the SDK's S3 client, and nothing else. */
export async function openOwnStore(settings: OwnSettings, profile: string | undefined): Promise<StoreBase> {
  const connection = await complete(settings, profile);
  const credentials = createCredentialCache(connection.credentials);
  const options = withDefaults({ maxSockets: 128, requestTimeoutMs: 120_000, fastPath: false });
  const environment =
    settings.credentials === undefined ? { environment: profile === undefined ? {} : { profile } } : {};
  const clients = createClients(connection, credentials, { ...options, ...environment });
  const name = connection.endpoint ?? `AWS in ${connection.region}`;
  const regions = new Map<string, string>();
  return { connection, settings: options, credentials, regions, clients, name };
}

/** What the settings leave out comes from where the SDK looks: the environment, its configuration files, the machine's role. */
async function complete(settings: OwnSettings, profile: string | undefined): Promise<Connection> {
  const { endpoint, expectedBucketOwner, proxy } = settings;
  const { config } = new S3Client(profile === undefined ? {} : { profile });
  return {
    name: "documents",
    credentials: settings.credentials ?? ((asked) => config.credentials(asked)),
    region: settings.region ?? (await config.region().catch(() => ANY_REGION)),
    ...(endpoint !== undefined && { endpoint }),
    ...(expectedBucketOwner !== undefined && { expectedBucketOwner }),
    ...(proxy !== undefined && { proxy }),
    pathStyle: settings.pathStyle ?? endpoint !== undefined,
    // The default CRC32 breaks some compatible stores; Content-MD5 and the reader's own sha256 do its work everywhere.
    checksums: "when-required",
    conditionalDelete: false,
    conditionalCopy: false,
    conditionalWrite: false,
    multipartThreshold: 0,
  };
}
