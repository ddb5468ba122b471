import { expect, test } from "vitest";
import { call, openS3 } from "../../test/open-s3.ts";

test("signs URLs that read, write and delete with plain HTTP, in the bucket's own region", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.createBucket("far", { region: "eu-west-3" });
  for (const bucket of ["in", "far"]) {
    const object = { bucket, key: "a b+ü?" };
    const put = await s3.presign({ object, method: "put", expiresIn: 60 }, call);
    // The SDK's default would promise the checksum of an empty body.
    expect(put.url).not.toMatch(/checksum-crc32/i);
    expect(await fetch(put.url, { method: "PUT", body: "hello" })).toMatchObject({ status: 200 });
    expect(sandbox.text(bucket, object.key)).toBe("hello");
    const get = await s3.presign({ object, method: "get", expiresIn: 60 }, call);
    expect(await (await fetch(get.url)).text()).toBe("hello");
    const remove = await s3.presign({ object, method: "delete", expiresIn: 60 }, call);
    expect(await fetch(remove.url, { method: "DELETE" })).toMatchObject({ status: 204 });
    expect(sandbox.keys(bucket)).toEqual([]);
  }
});

test("a URL ends when it says, and not later than the credentials that signed it", async () => {
  const { sandbox, connect, s3 } = await openS3();
  const object = { bucket: "in", key: "a" };
  const before = Date.now();
  const { expiresAt } = await s3.presign({ object, method: "get", expiresIn: 600 }, call);
  expect(Date.parse(expiresAt) - before).toBeGreaterThanOrEqual(600_000);
  expect(Date.parse(expiresAt) - before).toBeLessThan(620_000);
  const expiration = new Date(before + 400_000);
  const short = connect({ credentials: () => Promise.resolve({ ...sandbox.credentials, expiration }) });
  expect((await short.presign({ object, method: "get", expiresIn: 600 }, call)).expiresAt).toBe(
    expiration.toISOString(),
  );
});
