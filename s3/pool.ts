import { LRUCache } from "lru-cache";
import type { CredentialsRef } from "../model/entities.ts";
import type { Connection } from "../credentials/connection.ts";
import type { Profiles } from "../credentials/resolved-profile.ts";
import { createS3 } from "./create-s3.ts";

type OpenS3 = ReturnType<typeof createS3>;

/** One open store for each connection: sockets, signing keys and regions are shared by all its jobs. */
export type S3Pool = {
  get(credentials: CredentialsRef | undefined): Promise<OpenS3>;
  close(): Promise<void>;
};

/** Sealed credentials open a store each; beyond so many the least used is closed. */
const MAX_OPEN = 256;

export function createS3Pool(profiles: Profiles, options: Parameters<typeof createS3>[1]): S3Pool {
  const closing = new Set<Promise<void>>();
  const open = new LRUCache<string, OpenS3>({
    max: MAX_OPEN,
    dispose: (s3) => {
      const closed = s3.close().finally(() => closing.delete(closed));
      closing.add(closed);
    },
  });
  const connect = (connection: Connection): OpenS3 => {
    const known = open.get(connection.name);
    if (known !== undefined) return known;
    const s3 = createS3(connection, options);
    open.set(connection.name, s3);
    return s3;
  };
  return {
    get: async (credentials) => connect((await profiles.resolve(credentials)).connection),
    async close() {
      open.clear();
      await Promise.all(closing);
    },
  };
}
