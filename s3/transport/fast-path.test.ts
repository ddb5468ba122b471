import { expect, test } from "vitest";
import { call, errorOf, openOddStore } from "../../test/open-s3.ts";
import { copyResultEtag } from "./copy-result.ts";
import type { Pin } from "../interface.ts";

const result =
  '<CopyObjectResult xmlns="x"><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;abc-1&quot;</ETag></CopyObjectResult>';

test.each([
  ["as AWS sends it", `<?xml version="1.0" encoding="UTF-8"?>\n${result}`],
  ["after the whitespace that keeps a long copy alive", `   \n  <?xml version="1.0"?>${result}\n`],
  ["with plain quotes", result.replaceAll("&quot;", '"')],
  ["without quotes", result.replaceAll("&quot;", "")],
  ["with other fields", result.replace("<ETag>", "<ChecksumCRC32>AAAA==</ChecksumCRC32>\n<ETag>")],
])("accepts a copy result %s", (_, body) => {
  expect(copyResultEtag(body)).toBe("abc-1");
});

test.each([
  ["nothing", ""],
  ["an error", "<Error><Code>InternalError</Code></Error>"],
  ["an error in it", result.replace("</CopyObjectResult>", "<Error><Code>x</Code></Error></CopyObjectResult>")],
  ["an error after it", `${result}<Error/>`],
  ["text after it", `${result}x`],
  ["text before it", `x${result}`],
  ["another root", result.replaceAll("CopyObjectResult", "CopyPartResult")],
  ["half of it", result.slice(0, -5)],
  ["no ETag", result.replace(/<ETag>.*<\/ETag>/, "")],
  ["an empty ETag", result.replace(/<ETag>.*<\/ETag>/, "<ETag></ETag>")],
  ["an empty quoted ETag", result.replace(/<ETag>.*<\/ETag>/, "<ETag>&quot;&quot;</ETag>")],
  ["markup in the ETag", result.replace("abc-1", "<b>abc</b>")],
  ["a web page", "<html><body><ETag>abc</ETag></body></html>"],
])("refuses %s", (_, body) => {
  expect(copyResultEtag(body)).toBeUndefined();
});

const pin: Pin = { bucket: "in", key: "a", etag: "abc-1", size: 1, lastModified: "2026-01-01T00:00:00.000Z" };

test("asks the SDK again where the answer is not quite one, and believes what that finds", async () => {
  const agents: string[] = [];
  const s3 = await openOddStore((request, response) => {
    agents.push(request.headers["user-agent"] ?? "none");
    response.end(agents.length === 1 ? `${result}junk` : "<Error><Code>InternalError</Code></Error>\n");
  });
  expect(await errorOf(s3.copy({ source: pin, bucket: "out", key: "a" }, call))).toMatchObject({ retryable: true });
  expect(agents[0]).toBe("none");
  expect(agents[1]).toContain("aws-sdk-js");
});

test("keeps its connection from request to request, HEADs too", async () => {
  const ports = new Set<number | undefined>();
  const s3 = await openOddStore((request, response) => {
    ports.add(request.socket.remotePort);
    response.writeHead(200, { etag: '"abc"', "content-length": "1", "last-modified": new Date(0).toUTCString() }).end();
  });
  for (let turn = 0; turn < 10; turn++) await s3.head({ bucket: "in", key: "a" }, call);
  // A request that comes in the very turn of an answer may still meet its connection busy.
  expect(ports.size).toBeLessThan(3);
});

test("follows no redirect by itself", async () => {
  const hosts: string[] = [];
  const s3 = await openOddStore((request, response) => {
    hosts.push(String(request.headers.host));
    response.writeHead(301, { location: "http://evil.invalid/", "x-amz-bucket-region": "eu-west-3" });
    response.end("<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>");
  });
  expect(await errorOf(s3.delete({ object: { bucket: "in", key: "a" } }, call))).toMatchObject({
    code: "PermanentRedirect",
  });
  expect(new Set(hosts).size).toBe(1);
});

test("refuses an answer that is far too long", async () => {
  const s3 = await openOddStore((_, response) => response.end(" ".repeat(200_000)), {}, { fastPath: true });
  expect(await errorOf(s3.copy({ source: pin, bucket: "out", key: "a" }, call))).toMatchObject({
    code: "UnprovenResponse",
  });
});
