import { PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { call, errorOf, openOddStore, openS3, type OpenOptions } from "../../test/open-s3.ts";
import type { Pin } from "../interface.ts";

const OLD = new Date(Date.now() - 3_600_000);
const isBucket = (url = ""): boolean => /^\/in\/?(\?|$)/.test(url);
const IGNORES: OpenOptions = { sandbox: { enforceConditions: false }, connection: { conditionalDelete: false } };

test.each([
  ["enforces conditions", {}],
  ["ignores them", IGNORES],
])("keeps an object that was written anew with the same bytes, on a store that %s", async (_, options) => {
  const { sandbox, s3, pin } = await openS3(options);
  sandbox.put("in", "a", "same", { lastModified: OLD });
  const pinned = pin("in", "a");
  sandbox.put("in", "a", "same", { metadata: { state: "approved" } });
  expect(await errorOf(s3.deleteUnchanged(pinned, call))).toMatchObject({ code: "SourceChanged", httpStatus: 412 });
  expect(sandbox.object("in", "a")?.metadata).toEqual({ state: "approved" });
});

test.each([
  ["enforces conditions", {}],
  ["ignores them", IGNORES],
])("keeps what was written anew with the same bytes after a lost answer, on a store that %s", async (_, options) => {
  const { sandbox, s3, pin } = await openS3(options);
  sandbox.put("in", "a", "same", { lastModified: OLD });
  sandbox.fault({ operation: "DeleteObject", kind: "reset-after", times: 1 });
  let first = true;
  sandbox.after("DeleteObject", () => {
    if (first) sandbox.put("in", "a", "same");
    first = false;
  });
  expect(await errorOf(s3.deleteUnchanged(pin("in", "a"), call))).toMatchObject({ code: "SourceChanged" });
  expect(sandbox.text("in", "a")).toBe("same");
});

test("refuses to remove a null version that lies below the current one in a bucket with suspended versioning", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.createBucket("suspended");
  const client = new S3Client({
    endpoint: sandbox.endpoint,
    region: sandbox.region,
    credentials: sandbox.credentials,
    forcePathStyle: true,
  });
  onTestFinished(() => client.destroy());
  const versioning = async (Status: "Enabled" | "Suspended"): Promise<void> => {
    const VersioningConfiguration = { Status };
    await client.send(new PutBucketVersioningCommand({ Bucket: "suspended", VersioningConfiguration }));
  };
  sandbox.put("suspended", "a", "before versioning");
  await versioning("Enabled");
  sandbox.put("suspended", "a", "current");
  sandbox.put("suspended", "b", "current, and nothing below");
  await versioning("Suspended");
  sandbox.put("suspended", "c", "itself the null version");
  const pinned = async (key: string): Promise<Pin> => {
    const { bucket, etag, size, lastModified, versionId = "" } = await s3.head({ bucket: "suspended", key }, call);
    return { bucket, key, etag, size, lastModified, versionId };
  };
  expect(await errorOf(s3.deleteUnchanged(await pinned("a"), call))).toMatchObject({ code: "NullVersionAtRisk" });
  expect(sandbox.versions("suspended", "a")).toHaveLength(2);
  await s3.deleteUnchanged(await pinned("b"), call);
  await s3.deleteUnchanged(await pinned("c"), call);
  expect(sandbox.keys("suspended")).toEqual(["a"]);

  const items = await Promise.all(["a"].map(async (key) => await pinned(key)));
  const outcomes = await s3.deleteMany(
    {
      bucket: "suspended",
      items: items.map(({ key, etag, size, lastModified }) => ({ key, etag, size, lastModified })),
    },
    call,
  );
  expect(outcomes.map(({ error }) => error?.code)).toEqual(["NullVersionAtRisk"]);
  expect(sandbox.versions("suspended", "a")).toHaveLength(2);
  // Also where what is looked at first is gone, and so tells nothing of versions.
  const [{ etag, size, lastModified } = await pinned("a")] = items;
  const two = ["0", "a"].map((key) => ({ key, etag, size, lastModified }));
  const afterwards = await s3.deleteMany({ bucket: "suspended", items: two }, call);
  expect(afterwards.map(({ error }) => error?.code)).toEqual([undefined, "NullVersionAtRisk"]);
  expect(sandbox.versions("suspended", "a")).toHaveLength(2);
});

test("deletes no version by name where the store ignores names of versions", async () => {
  const requests: string[] = [];
  const s3 = await openOddStore((request, response) => {
    requests.push(request.method ?? "");
    if (request.method === "DELETE") response.writeHead(204).end();
    else
      response
        .writeHead(200, {
          etag: '"0cc175b9c0f1b6a831c399e269772661"',
          "last-modified": OLD.toUTCString(),
          "content-length": "1",
        })
        .end();
  });
  const object = { bucket: "in", key: "a", versionId: "3sL4kqtJlcpXroDTDmJ" };
  expect(await errorOf(s3.delete({ object }, call))).toMatchObject({ code: "VersionIgnored" });
  const pin = {
    ...object,
    versionNamed: true,
    etag: "0cc175b9c0f1b6a831c399e269772661",
    size: 1,
    lastModified: OLD.toISOString(),
  };
  expect(await errorOf(s3.deleteUnchanged(pin, call))).toMatchObject({ code: "VersionIgnored" });
  const [outcome] = await s3.deleteMany({ bucket: "in", items: [{ key: "a", versionId: object.versionId }] }, call);
  expect(outcome?.error?.code).toBe("VersionIgnored");
  expect(requests).not.toContain("DELETE");
  expect(requests).not.toContain("POST");
});

test("takes a 404 for gone only from the store itself", async () => {
  const page = "<html>no such page</html>";
  const s3 = await openOddStore(({ url }, response) => {
    if (isBucket(url)) response.writeHead(200).end();
    else response.writeHead(404, { "content-type": "text/html", "content-length": String(page.length) }).end(page);
  });
  const pin = {
    bucket: "in",
    key: "a",
    etag: "0cc175b9c0f1b6a831c399e269772661",
    size: 1,
    lastModified: OLD.toISOString(),
  };
  expect(await errorOf(s3.deleteUnchanged(pin, call))).toMatchObject({ code: "UnprovenResponse", retryable: true });
  expect(await errorOf(s3.delete({ object: pin, ifMatch: pin.etag }, call))).toMatchObject({
    code: "UnprovenResponse",
  });
  expect(await errorOf(s3.find({ bucket: "in", key: "a" }, call))).toMatchObject({ code: "UnprovenResponse" });
});

test("believes a store without request ids that names the code in its answer", async () => {
  const body = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>";
  const s3 = await openOddStore(({ method, url }, response) => {
    if (isBucket(url)) response.writeHead(200).end();
    else
      response
        .writeHead(404, { "content-type": "application/xml", "content-length": String(body.length) })
        .end(method === "HEAD" ? undefined : body);
  });
  expect(await s3.find({ bucket: "in", key: "a" }, call)).toBeUndefined();
});

test.each(["DeleteObject", "DeleteObjects"] as const)(
  "deletes nothing that came between the look and %s with the same bytes, where the store compares dates",
  async (operation) => {
    const { sandbox, s3, pin } = await openS3();
    sandbox.put("in", "a", "same", { lastModified: OLD });
    const pinned = pin("in", "a");
    sandbox.before(operation, () => void sandbox.put("in", "a", "same", { metadata: { state: "approved" } }));
    const error =
      operation === "DeleteObject"
        ? await errorOf(s3.deleteUnchanged(pinned, call))
        : (await s3.deleteMany({ bucket: "in", items: [pinned] }, call))[0]?.error;
    expect(error).toMatchObject({ code: "SourceChanged" });
    expect(sandbox.object("in", "a")?.metadata).toEqual({ state: "approved" });
  },
);

test.each([501, 412])("deletes by the ETag alone where a store answers %i to any date", async (status) => {
  const requests: string[] = [];
  const s3 = await openOddStore((request, response) => {
    const facts = {
      etag: '"0cc175b9c0f1b6a831c399e269772661"',
      "last-modified": OLD.toUTCString(),
      "content-length": "1",
    };
    if (request.method === "HEAD") {
      response.writeHead(200, { ...facts, "x-amz-request-id": "1" }).end();
      return;
    }
    let body = "";
    request.on("data", (data: Buffer) => (body += data.toString()));
    request.on("end", () => {
      const dated = request.headers["x-amz-if-match-size"] !== undefined || body.includes("<Size>");
      requests.push(`${request.method ?? ""} ${dated ? "dated" : (request.headers["if-match"] ?? "by ETag")}`);
      const answer = (code: number, xml: string) =>
        response.writeHead(code, { "content-type": "application/xml" }).end(xml);
      const code = status === 501 ? "NotImplemented" : "PreconditionFailed";
      if (dated && (status === 501 || request.method === "DELETE"))
        answer(status, `<Error><Code>${code}</Code></Error>`);
      else if (request.method === "DELETE") response.writeHead(204).end();
      else if (dated) answer(200, `<DeleteResult><Error><Key>a</Key><Code>${code}</Code></Error></DeleteResult>`);
      else answer(200, "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>");
    });
  });
  const etag = "0cc175b9c0f1b6a831c399e269772661";
  const pin = { bucket: "in", key: "a", etag, size: 1, lastModified: OLD.toISOString() };
  expect(await s3.deleteMany({ bucket: "in", items: [pin] }, call)).toEqual([{ key: "a" }]);
  expect(s3.lessons()).toEqual(["delete-dates-unknown"]);
  expect(await s3.deleteUnchanged(pin, call)).toMatchObject({ guarantee: "conditional" });
  expect(requests.filter((one) => one.endsWith("dated"))).toHaveLength(1);
  expect(requests.at(-1)).toBe(`DELETE "${etag}"`);
});
