import { expect, onTestFinished, test } from "vitest";
import type { Connection } from "../../credentials/connection.ts";
import { createClients } from "./clients.ts";
import { createCredentialCache } from "./credential-cache.ts";
import { createFastTargets, type FastTargets } from "./fast-target.ts";

function targets(more: Partial<Connection> = {}): FastTargets {
  const connection: Connection = {
    name: "default",
    credentials: () => Promise.resolve({ accessKeyId: "a", secretAccessKey: "s" }),
    region: "us-east-1",
    pathStyle: false,
    checksums: "when-supported",
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
    multipartThreshold: 1,
    ...more,
  };
  const settings = { maxSockets: 1, connectTimeoutMs: 1_000 };
  const clients = createClients(connection, createCredentialCache(connection.credentials), settings);
  onTestFinished(() => clients.close());
  return createFastTargets(clients);
}

test.each([
  ["bucket", "us-east-1", "https://bucket.s3.us-east-1.amazonaws.com", ""],
  ["bucket", "eu-west-3", "https://bucket.s3.eu-west-3.amazonaws.com", ""],
  ["bucket", "cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn", ""],
  // A dot would not fit the certificate.
  ["dotted.bucket", "eu-west-3", "https://s3.eu-west-3.amazonaws.com", "/dotted.bucket"],
])("goes where AWS has %s in %s", async (bucket, region, origin, basePath) => {
  expect(await targets()(bucket, region)).toEqual({ origin, host: new URL(origin).host, basePath, region });
});

test("leaves directory buckets, which sign by sessions, to the SDK", async () => {
  const find = targets();
  expect(await find("logs--usw2-az1--x-s3", "us-west-2")).toBeUndefined();
  expect(find("logs--usw2-az1--x-s3", "us-west-2")).toBeUndefined();
});

test("goes to another store's address, by path or by host", async () => {
  const endpoint = "http://store.test:9000/base";
  expect(await targets({ endpoint, pathStyle: true })("bucket", "r")).toMatchObject({
    origin: "http://store.test:9000",
    basePath: "/base/bucket",
  });
  expect(await targets({ endpoint: "http://store.test:9000" })("bucket", "r")).toMatchObject({
    origin: "http://bucket.store.test:9000",
    basePath: "",
  });
});

test("answers at once what it has found out", async () => {
  const find = targets();
  const found = await find("bucket", "eu-west-3");
  expect(find("bucket", "eu-west-3")).toBe(found);
});
