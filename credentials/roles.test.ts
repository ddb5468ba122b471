import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/index.ts";
import type { Connection } from "./connection.ts";
import { loadProfiles } from "./load-profiles.ts";

const PARTNER = "arn:aws:iam::222222222222:role/partner";
const ONWARD = "arn:aws:iam::333333333333:role/onward";

async function startWorld(options: SandboxOptions = {}) {
  const sandbox = await startSandbox({
    roles: [{ arn: PARTNER, externalId: "our-id", webIdentityToken: "pod-token" }, { arn: ONWARD }],
    ...options,
  });
  const folder = await mkdtemp(join(tmpdir(), "bucketline-roles-"));
  onTestFinished(async () => {
    await sandbox.close();
    await rm(folder, { recursive: true });
  });
  return { sandbox, folder };
}

/** The connection of one profile of many, with the sandbox's keys under `base`. */
async function connect(
  { sandbox, folder }: { readonly sandbox: Sandbox; readonly folder: string },
  profiles: Record<string, { readonly provider: object } & Record<string, unknown>>,
): Promise<Connection> {
  const base = { provider: { type: "static", accessKeyId: { env: "ID" }, secretAccessKey: { env: "SECRET" } } };
  const file = join(folder, "profiles.json");
  await writeFile(file, JSON.stringify({ profiles: { base, ...profiles } }));
  const { accessKeyId: ID, secretAccessKey: SECRET } = sandbox.credentials;
  const loaded = await loadProfiles({ file, env: { ID, SECRET, AWS_ENDPOINT_URL: sandbox.endpoint } });
  return (await loaded.resolve(Object.keys(profiles)[0])).connection;
}

/** Who the store thinks we are, asked by one client of the SDK as a worker holds it. */
function identityService(connection: Connection) {
  const client = new STSClient({
    region: connection.region,
    credentials: connection.credentials,
    ...(connection.stsEndpoint !== undefined && { endpoint: connection.stsEndpoint }),
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return async () => (await client.send(new GetCallerIdentityCommand({}))).Arn;
}

const partner = { type: "assume-role", roleArn: PARTNER, externalId: "our-id", source: "base" };

describe("assume-role", () => {
  test("gets the role's identity, under a session name that says which profile", async () => {
    const connection = await connect(await startWorld(), { partner: { provider: partner } });
    expect(await connection.credentials()).toMatchObject({ expiration: expect.any(Date) as Date });
    expect(await identityService(connection)()).toBe(
      "arn:aws:sts::222222222222:assumed-role/partner/bucketline-partner",
    );
  });

  test("goes on from role to role, by profiles and by providers in place", async () => {
    const world = await startWorld();
    const onward = { type: "assume-role", roleArn: ONWARD, sessionName: "night-shift" };
    const arn = "arn:aws:sts::333333333333:assumed-role/onward/night-shift";
    const byProfile = await connect(world, {
      onward: { provider: { ...onward, source: "partner" } },
      partner: { provider: partner },
    });
    expect(await identityService(byProfile)()).toBe(arn);
    const inPlace = await connect(world, { onward: { provider: { ...onward, source: partner } } });
    expect(await identityService(inPlace)()).toBe(arn);
  });

  test("sends all that narrows the role", async () => {
    const forms: URLSearchParams[] = [];
    const server = createServer((request, response) => {
      const answer = async () => {
        forms.push(new URLSearchParams(await text(request)));
        response.writeHead(403).end("<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>");
      };
      void answer();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const provider = {
      ...partner,
      sessionName: "night-shift",
      durationSeconds: 900,
      sessionPolicy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] },
      sessionPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
      stsEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    };
    const connection = await connect(await startWorld(), { partner: { provider } });
    await expect(connection.credentials()).rejects.toMatchObject({ code: "CredentialsUnavailable" });
    expect(Object.fromEntries(forms[0] ?? [])).toMatchObject({
      Action: "AssumeRole",
      RoleArn: PARTNER,
      RoleSessionName: "night-shift",
      ExternalId: "our-id",
      DurationSeconds: "900",
      Policy: JSON.stringify(provider.sessionPolicy),
      "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    });
  });

  test("that is refused says by whom and why, and is not retried", async () => {
    const provider = { ...partner, externalId: "another-id" };
    const connection = await connect(await startWorld(), { partner: { provider } });
    await expect(connection.credentials()).rejects.toMatchObject({
      code: "CredentialsUnavailable",
      retryable: false,
      message: expect.stringMatching(
        /profile partner, provider assume-role: the service answered 403 AccessDenied: .*sts:AssumeRole.*role\/partner \(request /,
      ) as string,
    });
  });

  test("that cannot be reached is retried", async () => {
    const provider = { ...partner, stsEndpoint: "http://127.0.0.1:1" };
    const connection = await connect(await startWorld(), { partner: { provider } });
    await expect(connection.credentials()).rejects.toMatchObject({
      code: "CredentialsUnavailable",
      retryable: true,
      message: expect.stringContaining("the provider cannot be reached (ECONNREFUSED)") as string,
    });
  });

  test("whose source fails says so of the source", async () => {
    const world = await startWorld();
    const source = { type: "process", command: ["/does/not/exist"] };
    const connection = await connect(world, { partner: { provider: { ...partner, source } } });
    await expect(connection.credentials()).rejects.toThrow(
      "CredentialsUnavailable: profile partner, provider process: /does/not/exist failed (ENOENT)",
    );
  });
});

describe("web-identity", () => {
  test("trades the token in its file, read anew each time", async () => {
    const world = await startWorld();
    const tokenFile = join(world.folder, "token");
    await writeFile(tokenFile, "stale-token");
    const provider = { type: "web-identity", roleArn: PARTNER, tokenFile };
    const connection = await connect(world, { pod: { provider } });
    await expect(connection.credentials()).rejects.toMatchObject({
      code: "CredentialsUnavailable",
      message: expect.stringContaining("InvalidIdentityToken") as string,
    });
    await writeFile(tokenFile, "pod-token");
    expect(await identityService(connection)()).toBe("arn:aws:sts::222222222222:assumed-role/partner/bucketline-pod");
  });
});

describe("in mid run", () => {
  test("credentials that live for two seconds are replaced before their end: no request is refused", async () => {
    const world = await startWorld({ sts: { maxDurationSeconds: 2 } });
    const connection = await connect(world, { partner: { provider: partner } });
    const whoami = identityService(connection);
    const used = new Set<string>();
    while (used.size < 3) {
      const [{ accessKeyId }, arn] = await Promise.all([connection.credentials(), whoami()]);
      expect(arn).toContain("assumed-role/partner");
      used.add(accessKeyId);
    }
  });

  test("keys that are replaced in their files reach a client that is open already", async () => {
    const world = await startWorld();
    const file = (name: string) => join(world.folder, name);
    const write = (id: string, secret: string) =>
      Promise.all([writeFile(file("id"), id), writeFile(file("secret"), secret)]);
    await write(world.sandbox.credentials.accessKeyId, world.sandbox.credentials.secretAccessKey);
    const provider = { type: "static", accessKeyId: { file: file("id") }, secretAccessKey: { file: file("secret") } };
    const connection = await connect(world, { rotated: { provider } });
    const whoami = identityService(connection);
    await whoami();
    const next = { accessKeyId: "AKIANEXT", secretAccessKey: "next", arn: "arn:aws:iam::000000000000:user/next" };
    world.sandbox.addCredentials(next);
    await write(next.accessKeyId, next.secretAccessKey);
    const whoamiAfterRefusal = async () => {
      await connection.credentials({ forceRefresh: true });
      return whoami();
    };
    await expect.poll(whoamiAfterRefusal, { timeout: 10_000 }).toBe(next.arn);
  });
});
