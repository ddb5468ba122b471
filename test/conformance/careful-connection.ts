import type { Connection } from "../../credentials/connection.ts";

/** To a store of which nothing is taken for granted: no condition is sent, and checksums only where they must be. */
export function carefulConnection(
  at: Pick<Connection, "name" | "region"> & { readonly endpoint: string },
  identity: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Connection {
  return {
    ...at,
    credentials: () => Promise.resolve(identity),
    pathStyle: true,
    checksums: "when-required",
    conditionalDelete: false,
    conditionalCopy: false,
    conditionalWrite: false,
    multipartThreshold: 256 * 1024 ** 2,
  };
}
