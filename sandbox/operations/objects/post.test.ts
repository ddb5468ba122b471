import { createHmac } from "node:crypto";
import { expect } from "vitest";
import { test } from "../../fixtures.ts";
import type { Sandbox } from "../../interface.ts";

type Condition = Record<string, string> | (string | number)[];

/** A browser's form, signed for its policy. */
function form(
  sandbox: Sandbox,
  given: { fields?: Record<string, string>; conditions?: Condition[]; expires?: number },
) {
  const { accessKeyId, secretAccessKey } = sandbox.credentials;
  const date = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const signing = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${accessKeyId}/${date}/us-east-1/s3/aws4_request`,
    "x-amz-date": `${date}T000000Z`,
  };
  const conditions: Condition[] = [
    { bucket: "docs" },
    ["starts-with", "$key", "in/"],
    ...Object.entries(signing).map(([name, value]) => ({ [name]: value })),
    ...(given.conditions ?? []),
  ];
  const expiration = new Date(Date.now() + (given.expires ?? 60_000)).toISOString();
  const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString("base64");
  let key: string | Buffer = `AWS4${secretAccessKey}`;
  for (const part of [date, "us-east-1", "s3", "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key).update(policy).digest("hex");
  const data = new FormData();
  const fields = { key: "in/${filename}", ...signing, policy, "x-amz-signature": signature, ...given.fields };
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append("file", new File(["héllo"], "a.txt", { type: "text/plain" }));
  return data;
}

const post = (sandbox: Sandbox, body: FormData) =>
  fetch(`${sandbox.endpoint}/docs`, { method: "POST", body, redirect: "manual" });

const code = async (answer: Response) => /<Code>(\w+)/.exec(await answer.text())?.[1];

test("a browser's form uploads a file under its name, with what its fields say", async ({ sandbox }) => {
  const fields = { "Content-Type": "text/plain", "x-amz-meta-author": "Zoë", success_action_status: "201" };
  const conditions: Condition[] = [
    ["starts-with", "$Content-Type", "text/"],
    ["eq", "$x-amz-meta-author", "Zoë"],
    { success_action_status: "201" },
    ["content-length-range", 1, 100],
  ];
  const answer = await post(sandbox, form(sandbox, { fields, conditions }));
  expect(answer.status).toBe(201);
  expect(await answer.text()).toContain("<Key>in/a.txt</Key>");
  expect(sandbox.text("docs", "in/a.txt")).toBe("héllo");
  expect(sandbox.object("docs", "in/a.txt")).toMatchObject({ contentType: "text/plain", metadata: { author: "Zoë" } });
});

test("a form may send the browser on", async ({ sandbox }) => {
  const success_action_redirect = "https://example.com/done";
  const answer = await post(
    sandbox,
    form(sandbox, { fields: { success_action_redirect }, conditions: [{ success_action_redirect }] }),
  );
  expect(answer.status).toBe(303);
  expect(answer.headers.get("location")).toMatch(/^https:\/\/example\.com\/done\?bucket=docs&key=in%2Fa\.txt&etag=%22/);
});

test("refuses what the policy does not allow, and stores nothing", async ({ sandbox }) => {
  const refused = async (given: Parameters<typeof form>[1]) => {
    const answer = await post(sandbox, form(sandbox, given));
    return [answer.status, await code(answer)];
  };
  expect(await refused({ fields: { key: "elsewhere/a" } })).toEqual([403, "AccessDenied"]);
  expect(await refused({ fields: { "x-amz-meta-extra": "1" } })).toEqual([403, "AccessDenied"]);
  expect(await refused({ expires: -1000 })).toEqual([403, "AccessDenied"]);
  expect(await refused({ fields: { "x-amz-signature": "0".repeat(64) } })).toEqual([403, "SignatureDoesNotMatch"]);
  expect(await refused({ conditions: [["content-length-range", 10, 100]] })).toEqual([400, "EntityTooSmall"]);
  expect(await refused({ conditions: [["content-length-range", 0, 2]] })).toEqual([400, "EntityTooLarge"]);
  expect(await refused({ conditions: [["like", "$key", "x"]] })).toEqual([400, "InvalidPolicyDocument"]);
  expect(sandbox.keys("docs")).toEqual([]);
});

test("a form without a policy is anonymous: the bucket must let everybody write", async ({ sandbox }) => {
  const data = new FormData();
  data.append("key", "a");
  data.append("file", new File(["x"], "a"));
  expect((await post(sandbox, data)).status).toBe(403);
});
