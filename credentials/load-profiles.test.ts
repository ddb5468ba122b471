import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadProfiles } from "./load-profiles.ts";
import { readProfilesFile } from "./profiles-file.ts";

async function fileWith(content: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-profiles-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "profiles.json");
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const env = { ID: "AKIAEXAMPLE", SECRET: "secret-example" };
const provider = { type: "static", accessKeyId: { env: "ID" }, secretAccessKey: { env: "SECRET" } };

async function connectionOf(profile: object, environment: NodeJS.ProcessEnv = {}) {
  const file = await fileWith({ profiles: { default: { provider, ...profile } } });
  const profiles = await loadProfiles({ file, env: { ...env, ...environment } });
  return (await profiles.resolve(undefined)).connection;
}

/** Each line of the one error, for profiles or a whole file. */
async function problems(content: unknown, environment: NodeJS.ProcessEnv = env): Promise<readonly string[]> {
  const file = await fileWith(content);
  const error: unknown = await loadProfiles({ file, env: environment }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "InvalidConfiguration", retryable: false });
  return (error as Error).message.split("\n  - ").slice(1);
}

describe("without a file", () => {
  const keys = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret-example" };

  test("there is one profile of the AWS environment", async () => {
    const profiles = await loadProfiles({ env: { ...keys, AWS_SESSION_TOKEN: "token", AWS_REGION: "eu-central-1" } });
    expect(profiles.names).toEqual(["default"]);
    const { connection, policy } = await profiles.resolve(undefined);
    expect(policy).toBeUndefined();
    expect(connection).toMatchObject({
      name: "default",
      region: "eu-central-1",
      pathStyle: false,
      checksums: "when-supported",
      conditionalDelete: true,
      conditionalCopy: true,
      conditionalWrite: true,
      multipartThreshold: 268_435_456,
    });
    expect(connection.endpoint).toBeUndefined();
    expect(await connection.credentials()).toEqual({
      accessKeyId: "AKIAEXAMPLE",
      secretAccessKey: "secret-example",
      sessionToken: "token",
    });
  });

  test("the S3 endpoint comes before the general one, and makes a store that is trusted less", async () => {
    const endpoints = { AWS_ENDPOINT_URL: "http://all:9000/", AWS_ENDPOINT_URL_S3: "http://s3:9000/" };
    const { connection } = await (await loadProfiles({ env: { ...keys, ...endpoints } })).resolve("default");
    expect(connection).toMatchObject({
      endpoint: "http://s3:9000",
      stsEndpoint: "http://all:9000",
      pathStyle: true,
      checksums: "when-required",
      conditionalDelete: false,
      conditionalCopy: false,
      conditionalWrite: false,
      region: "us-east-1",
    });
  });

  test("the worker's own region comes first", async () => {
    const profiles = await loadProfiles({ env: { AWS_REGION: "eu-west-1" }, defaults: { region: "eu-north-1" } });
    expect((await profiles.resolve(undefined)).connection.region).toBe("eu-north-1");
  });

  test("aws-global and bad endpoints in the environment are refused, all at once", async () => {
    const loading = loadProfiles({ env: { AWS_REGION: "aws-global", AWS_ENDPOINT_URL: "http://user:canary@host" } });
    const message = await loading.catch((caught: unknown) => (caught as Error).message);
    expect(message).toMatch(
      /^InvalidConfiguration: [^]*AWS_REGION: .*pseudo-region[^]*AWS_ENDPOINT_URL: expected an http or https URL/,
    );
    expect(message).not.toContain("canary");
  });
});

describe("a profile", () => {
  test("says what differs from its store's defaults", async () => {
    const profile = {
      region: "fsn1",
      endpoint: "https://store.example/",
      pathStyle: false,
      checksums: "when-supported",
      conditionalDelete: true,
      conditionalCopy: true,
      conditionalWrite: true,
      expectedBucketOwner: "123456789012",
      multipartThreshold: 64 * 1024 ** 2,
    } as const;
    expect(await connectionOf(profile)).toMatchObject({
      ...profile,
      endpoint: "https://store.example",
      name: "default",
    });
  });

  test("takes the environment's endpoint unless it names one, or AWS", async () => {
    const environment = { AWS_ENDPOINT_URL: "http://store:9000" };
    const stores = await Promise.all([
      connectionOf({}, environment),
      connectionOf({ endpoint: "http://other:9000" }, environment),
      connectionOf({ endpoint: "aws" }, environment),
      connectionOf({ endpoint: "http://other:9000", stsEndpoint: "http://sts:1" }, environment),
    ]);
    expect(stores.map(({ endpoint, stsEndpoint }) => [endpoint, stsEndpoint])).toEqual([
      ["http://store:9000", "http://store:9000"],
      ["http://other:9000", undefined],
      [undefined, undefined],
      ["http://other:9000", "http://sts:1"],
    ]);
    expect(stores[2]).toMatchObject({ pathStyle: false, conditionalDelete: true });
  });

  test("brings its policy along", async () => {
    const allow = [{ activities: ["get-object"], buckets: ["in"], prefixes: ["a/"] }];
    const file = await fileWith({ profiles: { default: { provider, allow } } });
    expect((await (await loadProfiles({ file, env })).resolve("default")).policy).toEqual(allow);
  });

  test("that is not there is named, with the one that was probably meant", async () => {
    const file = await fileWith({ profiles: { archive: { provider }, partner: { provider } } });
    const profiles = await loadProfiles({ file, env });
    await expect(profiles.resolve("partnr")).rejects.toMatchObject({
      code: "UnknownProfile",
      retryable: false,
      message:
        "UnknownProfile: no profile partnr in this worker's configuration; expected archive, partner; did you mean partner?",
    });
    await expect(profiles.resolve(undefined)).rejects.toMatchObject({ code: "UnknownProfile" });
    await expect(profiles.resolve("constructor")).rejects.toMatchObject({ code: "UnknownProfile" });
  });
});

describe("a profiles file", () => {
  test("reports every problem at once, each with its path", async () => {
    const role = { type: "assume-role", roleArn: "arn:aws:iam::123456789012:role/r" };
    const found = await problems({
      profiles: {
        a: { provider: "chain", regoin: "eu-west-1" },
        b: { provider: { type: "asume-role" } },
        c: { provider: { type: "process", command: "helper --flag" } },
        d: { provider: "chain", region: "aws-global", multipartThreshold: 6 * 1024 ** 3 },
        e: { provider: "chain", allow: [{ activities: ["list-object"], buckets: ["in{", "a/b"], prefixes: [""] }] },
        f: { provider: { ...role, durationSeconds: 60 }, endpoint: "ftp://host" },
        "g h": { provider: "chain" },
      },
    });
    expect(found.map((line) => line.slice(0, line.indexOf(": "))).toSorted()).toEqual([
      "profiles.a",
      "profiles.b.provider.type",
      "profiles.c.provider.command",
      "profiles.d.multipartThreshold",
      "profiles.d.region",
      "profiles.e.allow.0.activities.0",
      "profiles.e.allow.0.buckets.0",
      "profiles.e.allow.0.buckets.1",
      "profiles.e.allow.0.prefixes.0",
      "profiles.f.endpoint",
      "profiles.f.provider.durationSeconds",
      "profiles.g h",
    ]);
    expect(found).toContain('profiles.a: unknown field "regoin"; did you mean region?');
  });

  test.each([
    ["accessKeyId", { ...provider, accessKeyId: "canary-7f3a" }],
    ["secretAccessKey", { ...provider, secretAccessKey: { value: "canary-7f3a" } }],
    ["sessionToken", { ...provider, type: "session", sessionToken: ["canary-7f3a"] }],
  ])("refuses a secret value as %s without quoting it", async (field, secret) => {
    expect(await problems({ profiles: { a: { provider: secret } } })).toEqual([
      `profiles.a.provider.${field}: expected { "env": "NAME" } or { "file": "/path" }: secret values do not belong in this file`,
    ]);
  });

  test("looks for variables and files that it names before any job needs them", async () => {
    const found = await problems(
      {
        profiles: {
          a: { provider: { ...provider, secretAccessKey: { file: "/does/not/exist" } } },
          b: {
            provider: {
              type: "web-identity",
              roleArn: "arn:aws:iam::123456789012:role/r",
              tokenFile: "/does/not/exist",
            },
          },
        },
      },
      {},
    );
    expect(found).toEqual([
      "profiles.a.provider.accessKeyId.env: expected the environment variable ID to be set",
      "profiles.a.provider.secretAccessKey.file: expected a readable file at /does/not/exist, got ENOENT",
      "profiles.b.provider.tokenFile: expected a readable file at /does/not/exist, got ENOENT",
    ]);
  });

  test("refuses sources that are no profile or lead in a circle, also through providers in place", async () => {
    const role = (source: unknown) => ({
      provider: { type: "assume-role", roleArn: "arn:aws:iam::123456789012:role/r", source },
    });
    expect(
      await problems({ profiles: { a: role("b"), b: role(role("a").provider), c: role("c"), d: role("nobody") } }),
    ).toEqual([
      "profiles.a.provider.source: expected an end, got the circle a -> b -> a",
      "profiles.b.provider.source: expected an end, got the circle b -> a -> b",
      "profiles.c.provider.source: expected an end, got the circle c -> c",
      "profiles.d.provider.source: expected a profile of this file, got nobody",
    ]);
  });

  test("that is no JSON is refused without quoting it", async () => {
    const file = await fileWith('{ "profiles": { "a": canary-7f3a } }');
    const message = await loadProfiles({ file, env }).catch((caught: unknown) => (caught as Error).message);
    expect(message).toContain("expected JSON in the profiles file");
    expect(message).not.toContain("canary");
  });

  test("that is not there is named", async () => {
    await expect(loadProfiles({ file: "/does/not/exist.json", env })).rejects.toThrow(
      /^InvalidConfiguration: [^]*expected a readable profiles file at \/does\/not\/exist\.json, got ENOENT$/,
    );
  });

  test("is what the guide shows in its examples", async () => {
    const guide = await readFile(join(import.meta.dirname, "../docs/credentials.md"), "utf8");
    const examples = [...guide.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, json]): unknown => JSON.parse(json ?? ""));
    expect(examples).toHaveLength(5);
    for (const example of examples as { readonly profiles?: unknown }[]) {
      const content = example.profiles === undefined ? { profiles: { default: { provider: example } } } : example;
      expect((await readProfilesFile(await fileWith(content))).problems).toEqual([]);
    }
  });

  test("may begin with the mark that some editors write", async () => {
    const file = await fileWith("\uFEFF" + JSON.stringify({ profiles: { default: { provider: "chain" } } }));
    expect((await readProfilesFile(file)).problems).toEqual([]);
  });

  test("that names its profiles at the top is shown where they belong", async () => {
    expect(await problems({ default: { provider: "chain" } })).toEqual([
      'profiles: expected connections by name: { "profiles": { "default": { … } } }',
      'the file: unknown field "default"',
    ]);
  });

  test("says in plain words what was expected and of which kind it got, for names too", async () => {
    const wrong = { provider, region: 7, pathStyle: "yes", transfer: { partSize: 1 } };
    expect(await problems({ profiles: { default: wrong, "a b": { provider: "chain" } } })).toEqual([
      "profiles.default.region: expected string, got number",
      "profiles.default.pathStyle: expected boolean, got string",
      "profiles.default.transfer.partSize: expected number to be >=5242880",
      "profiles.a b: expected a profile name: 1 to 64 letters, digits, dots, hyphens or underscores",
    ]);
  });

  test("needs a profile", async () => {
    expect(await problems({ profiles: {} })).toEqual(["profiles: expected at least one profile"]);
  });
});
