import { HeadBucketCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { expect, vi } from "vitest";
import { connect, test } from "../fixtures.ts";
import type { SandboxOptions } from "../options.ts";
import type { Sandbox } from "../interface.ts";
import { startSandbox } from "../start.ts";

const RoleArn = "arn:aws:iam::111122223333:role/reader";

function stsOf(
  sandbox: Sandbox,
  credentials: { accessKeyId: string; secretAccessKey: string } = { ...sandbox.credentials },
): STSClient {
  return new STSClient({ endpoint: sandbox.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
}

async function sandboxWith(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  sandbox.createBucket("docs");
  sandbox.createBucket("theirs", { account: "111122223333" });
  return sandbox;
}

function keysOf(
  credentials:
    | { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined; SessionToken?: string | undefined }
    | undefined,
) {
  return {
    accessKeyId: credentials?.AccessKeyId ?? "",
    secretAccessKey: credentials?.SecretAccessKey ?? "",
    sessionToken: credentials?.SessionToken ?? "",
  };
}

test("an assumed role works on its account's buckets until it expires", async () => {
  await using sandbox = await sandboxWith({
    roles: [{ arn: RoleArn, externalId: "e-1" }],
    sts: { maxDurationSeconds: 1 },
  });
  const request = { RoleArn, RoleSessionName: "test" };
  await expect(stsOf(sandbox).send(new AssumeRoleCommand(request))).rejects.toMatchObject({ name: "AccessDenied" });
  const { Credentials, AssumedRoleUser } = await stsOf(sandbox).send(
    new AssumeRoleCommand({ ...request, ExternalId: "e-1" }),
  );
  expect(AssumedRoleUser?.Arn).toBe("arn:aws:sts::111122223333:assumed-role/reader/test");
  const role = connect(sandbox, { credentials: keysOf(Credentials) });
  expect((await role.send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name)).toEqual(["theirs"]);
  await expect(role.send(new HeadBucketCommand({ Bucket: "docs" }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  });
  const forged = connect(sandbox, { credentials: { ...keysOf(Credentials), sessionToken: "forged" } });
  await expect(forged.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: "InvalidToken" });
  await vi.waitFor(
    () => expect(role.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: "ExpiredToken" }),
    { timeout: 5000, interval: 200 },
  );
});

test("a web identity needs its token and no signature", async () => {
  await using sandbox = await sandboxWith({ roles: [{ arn: RoleArn, webIdentityToken: "token-1" }] });
  const client = stsOf(sandbox, { accessKeyId: "unknown", secretAccessKey: "unknown" });
  const ask = (WebIdentityToken: string) =>
    client.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: "test", WebIdentityToken }));
  await expect(ask("wrong")).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
  const { Credentials } = await ask("token-1");
  const identity = await new STSClient({
    endpoint: sandbox.endpoint,
    region: "us-east-1",
    credentials: keysOf(Credentials),
  }).send(new GetCallerIdentityCommand({}));
  expect(identity).toMatchObject({
    Account: "111122223333",
    Arn: "arn:aws:sts::111122223333:assumed-role/reader/test",
  });
});

test("says who calls, and refuses wrong keys", async () => {
  await using sandbox = await sandboxWith({
    credentials: [{ accessKeyId: "key", secretAccessKey: "secret", account: "444455556666" }],
  });
  expect(await stsOf(sandbox).send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: "444455556666",
    Arn: "arn:aws:iam::444455556666:user/sandbox",
  });
  const wrong = stsOf(sandbox, { accessKeyId: "key", secretAccessKey: "wrong" });
  await expect(wrong.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
  const short = new AssumeRoleCommand({ RoleArn, RoleSessionName: "test", DurationSeconds: 60 });
  await expect(stsOf(sandbox).send(short)).rejects.toMatchObject({ name: "ValidationError" });
});
