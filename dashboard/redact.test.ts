import { describe, expect, test } from "vitest";
import { redact, redactText } from "./redact.ts";

test("hides what is kept under the name of a secret, at any depth and in any spelling", () => {
  const data = {
    bucket: "in",
    credentials: { sealed: "eyJhbGciOi" },
    list: [{ secretAccessKey: "s", "x-amz-security-token": "t", Session_Token: "u", password: ["v"] }],
  };
  expect(redact(data)).toEqual({
    bucket: "in",
    credentials: { sealed: "[redacted]" },
    list: [
      {
        secretAccessKey: "[redacted]",
        "x-amz-security-token": "[redacted]",
        Session_Token: "[redacted]",
        password: "[redacted]",
      },
    ],
  });
});

test("takes the signature out of presigned URLs and leaves the object", () => {
  expect(redactText("see https://s3.example/in/a%20b.txt?X-Amz-Algorithm=AWS4&X-Amz-Signature=abc&x=1 now")).toBe(
    "see https://s3.example/in/a%20b.txt?[redacted] now",
  );
  expect(redactText("https://b.s3.example/k?AWSAccessKeyId=A&Signature=x&Expires=1")).toBe(
    "https://b.s3.example/k?[redacted]",
  );
});

describe("takes out of text that was not made by us", () => {
  test.each([
    ["redis://user:sesame@host:6379/0", "sesame"],
    ['{"secretAccessKey":"wJalrXUtnFEMI","bucket', "wJalrXUtnFEMI"],
    [String.raw`{\"secretAccessKey\":\"wJalrXUtnFEMI\"}`, "wJalrXUtnFEMI"],
    ["aws_secret_access_key = wJalrXUtnFEMI", "wJalrXUtnFEMI"],
    ["sessionToken: 'FwoGZXIvYXdz'", "FwoGZXIvYXdz"],
    ['{"sealed":"eyJhbGciOiJFQ0RILUVTIn0..iv.ct.tag', "ct.tag"],
    ["got eyJhbGciOiJFQ0RILUVTIn0..abc.def.ghi here", "abc.def"],
    ["key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"],
    [String.raw`{"password":"open\"sesame"}`, "sesame"],
    ["redis://user:open@sesame@host:6379/0", "sesame"],
    ["authorization: Bearer sesame", "sesame"],
    ["Proxy-Authorization: Basic b3BlbjpzZXNhbWU=", "b3BlbjpzZXNhbWU="],
    ["Authorization: AWS4-HMAC-SHA256 Credential=AKIA/s3, SignedHeaders=host, Signature=5e5a3e", "5e5a3e"],
    ["x-amz-server-side-encryption-customer-key: c2VzYW1l", "c2VzYW1l"],
    ["next=%2Fk%3FX-Amz-Date%3D1%26X-Amz-Signature%3D5e5a3e", "5e5a3e"],
    ["in/k&X-Amz-Signature=5e5a3e", "5e5a3e"],
    ["<SecretAccessKey>sesame</SecretAccessKey>", "sesame"],
    ["client_secret=sesame", "sesame"],
    ["token bl_sesameSesameSesame-Sesame_Sesame", "sesame"],
    ["cookie: a=b; __Host-bucketline_session=sesame; c=d", "sesame"],
  ])("%s", (text, secret) => {
    expect(redactText(text)).not.toContain(secret);
    expect(redactText(text)).toContain("[redacted]");
  });
});

test.each([
  "s3://in/a.txt",
  "<script>alert(1)</script>",
  "secrets/passwords.txt",
  "a=b&c=d",
  'it\'s "quoted"',
  "",
  "tokens/eyJ.txt",
  "x-amz-server-side-encryption-customer-key-MD5: c2VzYW1l",
  "signatures/bl_a.txt",
  "mail://a@b",
])("leaves %j as it is", (text) => {
  expect(redactText(text)).toBe(text);
});

test("leaves what is no text as it is", () => {
  const value = { count: 3, done: true, nothing: null, list: [1, 2] };
  expect(redact(value)).toEqual(value);
});
