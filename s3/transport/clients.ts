import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client } from "@aws-sdk/client-s3";
import { LRUCache } from "lru-cache";
import type { Connection } from "../../credentials/connection.ts";
import { agentProxy } from "../../credentials/proxy.ts";
import type { CredentialCache } from "./credential-cache.ts";
import { createRetryStrategy } from "./retry-strategy.ts";
import { boundAnswers } from "./bound-answers.ts";
import { sendHeadersAsText } from "./header-text.ts";

/** Attempts of one SDK call, the first included; only for what was lost on the way. */
const MAX_ATTEMPTS = 2;
/** More than AWS has regions, three ways each: a store may say another one each time. */
const MAX_CLIENTS = 128;

/** The SDK's clients of one connection: one for each region, all over the same sockets and credentials. */
export type Clients = {
  readonly forRegion: (region: string) => S3Client;
  /** As above, sending every request only once. */
  readonly forRegionOnce: (region: string) => S3Client;
  /** As above, for signing URLs: without the checksum of an empty body, which a presigned PUT would else promise. */
  readonly forPresigning: (region: string) => S3Client;
  readonly close: () => void;
};

type ClientSettings = {
  readonly maxSockets: number;
  readonly connectTimeoutMs: number;
  /** Where an endpoint may come from AWS's environment and configuration files, as that of an app may; workers say theirs. */
  readonly environment?: { readonly profile?: string };
};

// The SDK warns on the console where it has no logger of ours; every failure reaches the caller anyway.
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

export function createClients(connection: Connection, credentials: CredentialCache, settings: ClientSettings): Clients {
  const agent = { keepAlive: true, maxSockets: settings.maxSockets, ...agentProxy(connection.proxy) };
  const httpAgent = new HttpAgent(agent);
  const httpsAgent = new HttpsAgent(agent);
  // No requestTimeout, which ends with the headers and leaves a stalled body hanging, and no socketTimeout, which also ends a
  // download whose reader is slow. The clocks in send.ts, parts/download/body.ts and put.ts see both ends.
  const requestHandler = { httpAgent, httpsAgent, connectionTimeout: settings.connectTimeoutMs, logger: silent };
  const clients = new LRUCache<string, S3Client>({ max: MAX_CLIENTS });

  function create(region: string, { attempts, checksums }: Variant): S3Client {
    const mode = checksums === "when-supported" ? "WHEN_SUPPORTED" : "WHEN_REQUIRED";
    const client = new S3Client({
      region,
      // Already "expired", so that the SDK asks the shared cache each time instead of keeping a copy of its own.
      credentials: async () => ({ ...(await credentials.get()), expiration: new Date(0) }),
      ...(connection.endpoint !== undefined && { endpoint: connection.endpoint }),
      ...(settings.environment ?? { ignoreConfiguredEndpointUrls: true }),
      forcePathStyle: connection.pathStyle,
      requestHandler,
      maxAttempts: attempts,
      retryStrategy: createRetryStrategy(attempts),
      requestChecksumCalculation: mode,
      responseChecksumValidation: mode,
      followRegionRedirects: false,
      logger: silent,
    });
    sendHeadersAsText(client);
    boundAnswers(client);
    return client;
  }

  function cached(region: string, variant: Variant): S3Client {
    const name = `${region} ${variant.attempts} ${variant.checksums}`;
    const client = clients.get(name) ?? create(region, variant);
    clients.set(name, client);
    return client;
  }

  const { checksums } = connection;
  return {
    forRegion: (region) => cached(region, { attempts: MAX_ATTEMPTS, checksums }),
    forRegionOnce: (region) => cached(region, { attempts: 1, checksums }),
    forPresigning: (region) => cached(region, { attempts: 1, checksums: "when-required" }),
    close() {
      clients.clear();
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

type Variant = { readonly attempts: number; readonly checksums: Connection["checksums"] };
