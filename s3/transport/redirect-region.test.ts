import { expect, onTestFinished, test } from "vitest";
import type { Connection } from "../../credentials/connection.ts";
import { call, errorOf, openOddStore } from "../../test/open-s3.ts";
import { createClients } from "./clients.ts";
import { createCredentialCache } from "./credential-cache.ts";
import { redirectRegion } from "./redirect-region.ts";

const redirect = (more: object) => ({ name: "PermanentRedirect", $metadata: { httpStatusCode: 301 }, ...more });
const header = (region: string) => redirect({ $response: { headers: { "x-amz-bucket-region": region } } });

test("a redirect leads to the region that it names", () => {
  expect(redirectRegion(header("eu-west-3"))).toBe("eu-west-3");
  expect(redirectRegion(redirect({ Region: "fsn1" }))).toBe("fsn1");
  expect(redirectRegion(redirect({}))).toBe("");
  expect(redirectRegion(new Error("no redirect"))).toBeUndefined();
});

test.each(["evil.example/#", "a@evil.example", "x\r\nhost: evil.example", "../..", "", "r".repeat(64), "aws-global"])(
  "what is no name of a region (%j) leads nowhere",
  (region) => {
    expect([redirectRegion(header(region)), redirectRegion(redirect({ Region: region }))]).toEqual(["", ""]);
  },
);

test("a store that names no region sends nobody to where it says", async () => {
  const seen = new Set<string>();
  const s3 = await openOddStore((request, response) => {
    seen.add(/Credential=[^/]+\/\d+\/([^,]*)\/s3\//.exec(request.headers.authorization ?? "")?.[1] ?? "none");
    response.writeHead(301, { "x-amz-bucket-region": "x.evil.example" }).end();
  });
  await errorOf(s3.head({ bucket: "in", key: "a" }, call));
  expect([...seen]).toEqual(["us-east-1"]);
});

test("a store that says another region each time is given so many clients and no more", () => {
  const connection: Connection = {
    name: "default",
    credentials: () => Promise.resolve({ accessKeyId: "a", secretAccessKey: "s" }),
    region: "us-east-1",
    pathStyle: true,
    checksums: "when-required",
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
    multipartThreshold: 1,
  };
  const settings = { maxSockets: 1, connectTimeoutMs: 1000 };
  const clients = createClients(connection, createCredentialCache(connection.credentials), settings);
  onTestFinished(() => clients.close());
  const first = clients.forRegion("first");
  expect(clients.forRegion("first")).toBe(first);
  for (let n = 0; n < 150; n++) clients.forRegion(`made-${n}`);
  expect(clients.forRegion("first")).not.toBe(first);
});
