import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createProvider, type ProviderContext } from "./provider.ts";
import type { ProviderConfig } from "./provider-config.ts";

afterEach(() => void vi.useRealTimers());

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "bucketline-provider-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function make(config: ProviderConfig, context: Partial<ProviderContext> = {}) {
  return createProvider(config, {
    profile: "partner",
    region: "us-east-1",
    env: {},
    providerOf: () => () => Promise.reject(new Error("no profile is a source here")),
    ...context,
  });
}

/** Lets a renewal in the background end. */
async function settled<Value>(value: () => Promise<Value>, wanted: (value: Value) => boolean): Promise<Value> {
  return vi.waitFor(async () => {
    const found = await value();
    if (!wanted(found)) throw new Error("not yet");
    return found;
  });
}

describe("static credentials", () => {
  test("come from variables and files, without the line's end", async () => {
    const file = join(await folder(), "secret");
    await writeFile(file, "s3cr3t\n");
    const provider = make(
      { type: "static", accessKeyId: { env: "ID" }, secretAccessKey: { file } },
      { env: { ID: " AKIA1 " } },
    );
    expect(await provider()).toEqual({ accessKeyId: "AKIA1", secretAccessKey: "s3cr3t" });
  });

  test("that are replaced in their files are picked up", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const path = await folder();
    const write = (name: string, value: string) => writeFile(join(path, name), value);
    await Promise.all([write("id", "AKIA1"), write("secret", "one")]);
    const provider = make({
      type: "static",
      accessKeyId: { file: join(path, "id") },
      secretAccessKey: { file: join(path, "secret") },
    });
    expect((await provider()).accessKeyId).toBe("AKIA1");
    await Promise.all([write("id", "AKIA2"), write("secret", "two")]);
    expect((await provider()).accessKeyId).toBe("AKIA1");
    vi.setSystemTime(Date.now() + 5_000);
    const replaced = await settled(provider, ({ accessKeyId }) => accessKeyId === "AKIA2");
    expect(replaced.secretAccessKey).toBe("two");
  });

  test("that are replaced while they are read are not mixed", async () => {
    const [ids, secrets] = [
      ["AKIA1", "AKIA1", "AKIA2", "AKIA2"],
      ["one", "two", "two", "two"],
    ];
    const env = {
      get ID() {
        return ids.shift();
      },
      get SECRET() {
        return secrets.shift();
      },
    };
    const provider = make({ type: "static", accessKeyId: { env: "ID" }, secretAccessKey: { env: "SECRET" } }, { env });
    expect(await provider()).toEqual({ accessKeyId: "AKIA2", secretAccessKey: "two" });
  });

  test("of a session carry its token and its end", async () => {
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const provider = make(
      {
        type: "session",
        accessKeyId: { env: "ID" },
        secretAccessKey: { env: "SECRET" },
        sessionToken: { env: "TOKEN" },
        expiration: { env: "END" },
      },
      { env: { ID: "ASIA1", SECRET: "s", TOKEN: "t", END: end } },
    );
    expect(await provider()).toEqual({
      accessKeyId: "ASIA1",
      secretAccessKey: "s",
      sessionToken: "t",
      expiration: new Date(end),
    });
  });

  test("that are gone say which, and where they were expected", async () => {
    const provider = make({ type: "static", accessKeyId: { env: "ID" }, secretAccessKey: { env: "SECRET" } });
    await expect(provider()).rejects.toMatchObject({
      code: "CredentialsUnavailable",
      retryable: false,
      message:
        "CredentialsUnavailable: profile partner, provider static: expected accessKeyId in the environment variable ID, got nothing",
    });
  });
});

describe("a helper program", () => {
  const node = process.execPath;
  const print = (output: unknown) => [node, "-e", `console.log(${JSON.stringify(JSON.stringify(output))})`];
  const good = { Version: 1, AccessKeyId: "ASIA1", SecretAccessKey: "s", SessionToken: "t" };

  test("prints credentials in AWS's format", async () => {
    const end = new Date(Date.now() + 3_600_000);
    const provider = make({ type: "process", command: print({ ...good, Expiration: end.toISOString() }) });
    expect(await provider()).toEqual({
      accessKeyId: "ASIA1",
      secretAccessKey: "s",
      sessionToken: "t",
      expiration: end,
    });
  });

  test("gets its arguments as they are: no shell reads them", async () => {
    const script = "console.log(JSON.stringify({Version:1,AccessKeyId:process.argv[1],SecretAccessKey:'s'}))";
    const provider = make({ type: "process", command: [node, "-e", script, "$(id) `id` $HOME; id"] });
    expect((await provider()).accessKeyId).toBe("$(id) `id` $HOME; id");
  });

  test.each([
    ["another version", { ...good, Version: 2 }, "Version"],
    ["no secret", { ...good, SecretAccessKey: undefined }, "SecretAccessKey"],
    ["a wrong end", { ...good, Expiration: "tomorrow" }, "Expiration"],
  ])("that prints %s is refused, field by field", async (_, output, field) => {
    await expect(make({ type: "process", command: print(output) })()).rejects.toMatchObject({
      code: "CredentialsUnavailable",
      retryable: false,
      message: expect.stringMatching(new RegExp(`is not version 1 of AWS's format: ${field}$`)) as string,
    });
  });

  test("that prints expired credentials is asked again later", async () => {
    const command = print({ ...good, Expiration: "2020-01-01T00:00:00Z" });
    await expect(make({ type: "process", command })()).rejects.toMatchObject({ retryable: true });
  });

  test("that fails is named with its code, and nothing that it printed", async () => {
    const command = [
      node,
      "-e",
      "console.error('canary-7f3a'); console.log('canary-7f3a'); process.exit(3)",
      "canary-7f3a",
    ];
    await expect(make({ type: "process", command })()).rejects.toMatchObject({
      code: "CredentialsUnavailable",
      retryable: true,
      message: `CredentialsUnavailable: profile partner, provider process: ${node} failed (3)`,
    });
  });

  test("that is not there is a matter of configuration", async () => {
    await expect(make({ type: "process", command: ["/does/not/exist"] })()).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining("/does/not/exist failed (ENOENT)") as string,
    });
  });
});

describe("AWS's shared files", () => {
  async function sharedFiles(config: string, credentials = "") {
    const path = await folder();
    const env = { AWS_CONFIG_FILE: join(path, "config"), AWS_SHARED_CREDENTIALS_FILE: join(path, "credentials") };
    await Promise.all([
      writeFile(env.AWS_CONFIG_FILE, config),
      writeFile(env.AWS_SHARED_CREDENTIALS_FILE, credentials),
    ]);
    return env;
  }
  const keys = (id: string) => `[team]\naws_access_key_id = ${id}\naws_secret_access_key = s\n`;

  test("give the keys of a profile, and new ones once they are replaced", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const env = await sharedFiles("", keys("AKIA1"));
    const provider = make({ type: "ini", profile: "team" }, { env });
    expect(await provider()).toMatchObject({ accessKeyId: "AKIA1", secretAccessKey: "s" });
    await writeFile(env.AWS_SHARED_CREDENTIALS_FILE, keys("AKIA2"));
    vi.setSystemTime(Date.now() + 301_000);
    await settled(provider, ({ accessKeyId }) => accessKeyId === "AKIA2");
  });

  test("name a helper program for a profile", async () => {
    const helper = join(await folder(), "helper");
    await writeFile(helper, '#!/bin/sh\necho \'{"Version":1,"AccessKeyId":"ASIA1","SecretAccessKey":"s"}\'\n');
    await chmod(helper, 0o700);
    const env = await sharedFiles(`[profile team]\ncredential_process = ${helper}\n`);
    expect(await make({ type: "process", profile: "team" }, { env })()).toMatchObject({ accessKeyId: "ASIA1" });
  });

  test("are named, with what is missing in them", async () => {
    const env = await sharedFiles("[profile team]\nregion = eu-west-1\n");
    for (const type of ["ini", "sso", "process"] as const) {
      await expect(make({ type, profile: "nobody" }, { env })()).rejects.toMatchObject({
        code: "CredentialsUnavailable",
        retryable: false,
        message: expect.stringMatching(/profile partner, provider (ini|sso|process): .*nobody/) as string,
      });
    }
    await expect(make({ type: "sso", profile: "team" }, { env })()).rejects.toThrow(
      "not configured with SSO credentials",
    );
  });
});

describe("metadata services", () => {
  const answer = { AccessKeyId: "ASIA1", SecretAccessKey: "s", Token: "t", Expiration: "2099-01-01T00:00:00Z" };

  test("of a container answer with its role, asked with its token", async () => {
    const endpoint = await serve((request, response) => {
      const known = request.url === "/v1/credentials" && request.headers.authorization === "token-1";
      response.writeHead(known ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
    const tokenFile = join(await folder(), "token");
    await writeFile(tokenFile, "token-1");
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    };
    expect(await make({ type: "container" }, { env })()).toMatchObject({ accessKeyId: "ASIA1", sessionToken: "t" });
  });

  test("of an instance answer with its role", async () => {
    const endpoint = await serve((request, response) => {
      const paths: Record<string, string> = {
        "/latest/api/token": "imds-token",
        "/latest/meta-data/iam/security-credentials/": "role",
        "/latest/meta-data/iam/security-credentials/role": JSON.stringify({ Code: "Success", ...answer }),
      };
      const body = paths[request.url ?? ""];
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await make({ type: "instance" })()).toMatchObject({ accessKeyId: "ASIA1", sessionToken: "t" });
  });

  test("that are not configured say so", async () => {
    await expect(make({ type: "container" })()).rejects.toMatchObject({
      code: "CredentialsUnavailable",
      retryable: false,
      message: expect.stringContaining("No HTTP credential provider host provided") as string,
    });
  });
});
