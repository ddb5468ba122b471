import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDocumentStore } from "../../documents/open.ts";
import { type DashboardHarness, startDashboardHarness } from "../../test/dashboard-harness.ts";

let dashboard: DashboardHarness;
beforeAll(async () => {
  dashboard = await startDashboardHarness();
});
afterAll(() => dashboard.close());

async function upload(query: string, body: string | Uint8Array, headers = {}) {
  const answer = await dashboard.send(`/api/documents?${query}`, { method: "POST", body, headers });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.json() as unknown as { id: string; size: number; sha256: string; name: string; contentType: string };
}

test("a document goes up and comes down byte for byte, and is gone once its reader says that it has it", async () => {
  const content = randomBytes(300_000);
  const pointer = await upload("name=photo.png", content, { "content-type": "image/png" });
  expect(pointer).toMatchObject({
    size: 300_000,
    name: "photo.png",
    contentType: "image/png",
    sha256: sha256(content),
  });
  const response = await fetch(`${dashboard.url}/api/documents/${pointer.id}`);
  expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
  expect(response.headers.get("content-length")).toBe("300000");
  expect(response.headers.get("repr-digest")).toBe(
    `sha-256=:${Buffer.from(pointer.sha256, "hex").toString("base64")}:`,
  );
  const etag = response.headers.get("etag") ?? "";
  const acknowledge = { method: "DELETE", headers: { "if-match": etag } } as const;
  expect((await dashboard.send(`/api/documents/${pointer.id}`, acknowledge)).status).toBe(204);
  expect((await dashboard.send(`/api/documents/${pointer.id}`)).status).toBe(404);
  // Its answer may have been lost.
  expect((await dashboard.send(`/api/documents/${pointer.id}`, acknowledge)).status).toBe(204);
});

test("a reader that asks and dies without having read anything leaves the document", async () => {
  const pointer = await upload("name=a.txt", "x".repeat(1000));
  const request = httpRequest(`${dashboard.url}/api/documents/${pointer.id}`).end();
  await once(request, "response");
  request.destroy();
  await once(request, "close");
  expect((await dashboard.send(`/api/documents/${pointer.id}`)).text).toBe("x".repeat(1000));
});

test("a reader of the old document never deletes the new one", async () => {
  const store = await openDocumentStore(dashboard.config.documentsUrl);
  try {
    await store.write("old", { name: "a", id: "replaced" });
    const { headers } = await dashboard.send("/api/documents/replaced");
    await store.write("new, and read by nobody", { name: "a", id: "replaced" });
    const acknowledged = await dashboard.send("/api/documents/replaced", {
      method: "DELETE",
      headers: { "if-match": String(headers["etag"]) },
    });
    expect([acknowledged.status, acknowledged.json()["code"]]).toEqual([412, "PreconditionFailed"]);
    expect((await dashboard.send("/api/documents/replaced")).text).toBe("new, and read by nobody");
  } finally {
    await store.close();
  }
});

test("keep=true, deleteAfterDownload=false and HEAD leave it where it is", async () => {
  const pointer = await upload("name=a.txt&deleteAfterDownload=false&ttl=3600", "content");
  for (const query of ["", "?keep=true", ""]) {
    const answer = await dashboard.send(`/api/documents/${pointer.id}${query}`);
    expect([answer.status, answer.text]).toEqual([200, "content"]);
  }
  const single = await upload("name=b.txt", "content");
  const head = await dashboard.send(`/api/documents/${single.id}`, { method: "HEAD" });
  expect([head.status, head.headers["content-length"], head.text]).toEqual([200, "7", ""]);
  expect((await dashboard.send(`/api/documents/${single.id}?keep=true`)).status).toBe(200);
  expect((await dashboard.send(`/api/documents/${single.id}`, { method: "DELETE" })).status).toBe(204);
  expect((await dashboard.send(`/api/documents/${single.id}`)).json()["code"]).toBe("DocumentNotFound");
});

test("a download that breaks off leaves the document for another try", async () => {
  const pointer = await upload("name=big.bin", randomBytes(8_000_000));
  const request = httpRequest(`${dashboard.url}/api/documents/${pointer.id}`).end();
  const [response] = (await once(request, "response")) as [Readable];
  await once(response, "readable");
  request.destroy();
  await once(request, "close");
  const again = await fetch(`${dashboard.url}/api/documents/${pointer.id}`);
  expect((await again.arrayBuffer()).byteLength).toBe(8_000_000);
});

test("an upload that breaks off leaves nothing behind", async () => {
  const before = await files();
  const request = httpRequest(`${dashboard.url}/api/documents?name=half`, {
    method: "POST",
    headers: { "content-length": "1000000" },
  });
  request.on("error", () => {}); // its own end is what is tested
  request.write(randomBytes(100_000));
  await expect.poll(async () => (await files()).length).toBeGreaterThan(before.length);
  request.destroy();
  await expect.poll(files).toEqual(before);
});

/** Uploads a document of so many bytes and changes one of them behind the store's back. */
async function damaged(size: number): Promise<string> {
  const content = "x".repeat(size);
  const pointer = await upload("name=damaged.txt", content);
  const root = fileURLToPath(dashboard.config.documentsUrl);
  for (const file of await files()) {
    const path = join(root, file);
    const text = await readFile(path, "latin1");
    if (text.includes(content)) await writeFile(path, text.replace("xxxxx", "xxYxx"), "latin1");
  }
  return pointer.id;
}

test("a small document that is damaged in the store is an error", async () => {
  const answer = await dashboard.send(`/api/documents/${await damaged(1000)}`);
  expect([answer.status, answer.json()["code"]]).toEqual([500, "DocumentCorrupt"]);
});

test("a large document that is damaged in the store never looks whole: the connection breaks before its end", async () => {
  const response = await fetch(`${dashboard.url}/api/documents/${await damaged(2_000_000)}`);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow("terminated");
});

test("somebody's HTML is never a page of ours, whatever it says it is", async () => {
  const name = `"><script>alert(1)</script>\u00fc'.html`;
  const pointer = await upload(
    `name=${encodeURIComponent(name)}&deleteAfterDownload=false`,
    "<script>alert(1)</script>",
    { "content-type": "text/html" },
  );
  const { headers } = await dashboard.send(`/api/documents/${pointer.id}`);
  expect(headers["content-disposition"]).toMatch(
    /^attachment; filename="_><script>alert\(1\)<\/script>_'.html"; filename\*=UTF-8''%22%3E%3Cscript/,
  );
  expect(headers["content-security-policy"]).toBe("sandbox; default-src 'none'");
  expect(headers["x-content-type-options"]).toBe("nosniff");
});

test("a body of JSON is content like any other", async () => {
  const pointer = await upload("name=a.json&deleteAfterDownload=false", '{"a":', {
    "content-type": "application/json",
  });
  expect((await dashboard.send(`/api/documents/${pointer.id}`)).text).toBe('{"a":');
});

test("more than is allowed is refused, said or not", async () => {
  const small = await startDashboardHarness({ env: { BUCKETLINE_DASHBOARD_MAX_DOCUMENT_BYTES: "1000" } });
  try {
    const said = await small.send("/api/documents?name=a", { method: "POST", body: randomBytes(1001) });
    expect([said.status, said.json()["code"]]).toEqual([413, "BodyTooLarge"]);
    const streamed = await fetch(`${small.url}/api/documents?name=a`, {
      method: "POST",
      body: Readable.toWeb(Readable.from([randomBytes(600), randomBytes(600)])) as ReadableStream, // Node's is the same thing
      duplex: "half",
    });
    expect(streamed.status).toBe(413);
    expect((await small.send("/api/documents?name=a", { method: "POST", body: randomBytes(1000) })).status).toBe(201);
  } finally {
    await small.close();
  }
});

test.each([
  ["POST", "/api/documents", 422, "name"],
  ["POST", "/api/documents?name=", 422, "name"],
  ["POST", "/api/documents?name=a&ttl=1", 422, "ttl"],
  ["POST", "/api/documents?name=a&deleteAfterDownload=yes", 422, "deleteAfterDownload"],
  ["GET", "/api/documents/nobody", 404, undefined],
  ["GET", "/api/documents/..%2f..%2fetc%2fpasswd", 404, "id"],
  ["HEAD", "/api/documents/nobody", 404, undefined],
])("%s %s is answered with %i", async (method, path, status, field) => {
  const answer = await dashboard.send(path, { method, ...(method === "POST" && { body: "content" }) });
  expect(answer.status).toBe(status);
  const said = method === "HEAD" ? undefined : answer.json()["field"];
  expect(said).toBe(field);
});

test("without a body there is nothing to keep", async () => {
  const answer = await dashboard.send("/api/documents?name=a", { method: "POST" });
  expect([answer.status, answer.json()["field"]]).toEqual([422, "body"]);
});

async function files(): Promise<string[]> {
  const root = fileURLToPath(dashboard.config.documentsUrl);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .toSorted();
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
