import { threadCpuUsage } from "node:process";
import { expect, test } from "vitest";
import { parseListing } from "../requests/listings/parse.ts";
import { copyResultEtag } from "./copy-result.ts";

const answer = (etag: string, modified = "2026-11-27T10:00:00.000Z") =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>${modified}</LastModified><ETag>${etag}</ETag></CopyObjectResult>`;

test("an answer like the one before it is read as that was: quotes, escapes and other values make no difference", () => {
  expect(copyResultEtag(answer("&quot;0a&quot;"))).toBe("0a");
  expect(copyResultEtag(answer("&quot;0123456789abcdef0123456789abcdef-7&quot;", "later"))).toBe(
    "0123456789abcdef0123456789abcdef-7",
  );
  expect(copyResultEtag(answer('"B"'))).toBe("B");
  expect(copyResultEtag(answer("&#34;c_.&#34;"))).toBe("c_.");
});

test("an answer that is cut off, goes on, or hides something is none, however many good ones came before", () => {
  const good = answer("&quot;0a&quot;");
  expect(copyResultEtag(good)).toBe("0a");
  for (let length = 0; length < good.length; length++)
    expect([length, copyResultEtag(good.slice(0, length))]).toEqual([length, undefined]);
  const bad = [
    `${good}<Error/>`,
    answer(""),
    answer("&quot;&quot;"),
    answer("&quot;0 a&quot;"),
    answer("&quot;0a&quot;", "x>y"),
    answer("&quot;0a&quot;</ETag><Error>"),
    good.replace("CopyObjectResult xmlns", "CopyPartResult xmlns"),
    good.replace("<ETag>", "<Etag>"),
  ];
  for (const body of bad) expect([body, copyResultEtag(body)]).toEqual([body, undefined]);
});

test("whitespace without an end is read once", () => {
  const before = threadCpuUsage().user;
  for (const space of [" ".repeat(64 * 1024), `<?xml version="1.0"?>${"\n".repeat(64 * 1024)}`])
    expect([copyResultEtag(space), parseListing(space)]).toEqual([undefined, undefined]);
  expect((threadCpuUsage().user - before) / 1000).toBeLessThan(50);
});
