import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { sealCredentials } from "../producer/seal-credentials.ts";
import { startSandbox } from "../sandbox/index.ts";
import { parseWorkerConfig } from "../worker/config/parse.ts";
import { describeConfig } from "../worker/config/description.ts";
import { checkPolicy } from "./policy.ts";
import { generateSealKeys } from "./seal-keys.ts";
import { loadProfiles } from "./load-profiles.ts";

/** In every secret, in the shape of one: no word of ours, so that finding it anywhere is a leak. */
const CANARY = "Zq7cAnArY";
const secret = (where: string) => `${CANARY}${where.replaceAll("-", "")}/x+y${"0".repeat(12)}`;

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "bucketline-leak-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** All that a log, a dashboard or a terminal would show of a thing. */
function shown(thing: unknown): string {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  log.error({ err: thing, error: thing, thing }, "shown");
  const text = thing instanceof Error ? `${thing.message}\n${thing.stack}\n${String(thing.cause)}` : "";
  return [...lines, JSON.stringify(thing), inspect(thing, { depth: 10, showHidden: true }), text].join("\n");
}

/** What an operation fails with; it must fail. */
async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("expected a failure");
}

type Files = Readonly<Record<"changing" | "tokenFile" | "helper" | "loud", string>>;

/** A provider of each kind, most of which fail. */
function everyProvider({ changing, tokenFile, helper, loud }: Files) {
  const role = "arn:aws:iam::222222222222:role/r";
  const refs = { accessKeyId: { env: "ID" }, secretAccessKey: { env: "SECRET" } };
  return {
    static: { type: "static", ...refs },
    file: { type: "static", accessKeyId: { env: "ID" }, secretAccessKey: { file: changing } },
    session: { type: "session", ...refs, sessionToken: { env: "TOKEN" }, expiration: { env: "SECRET" } },
    "role-of-bad-keys": { type: "assume-role", roleArn: role, source: { type: "static", ...refs } },
    "role-of-bad-session": {
      type: "assume-role",
      roleArn: role,
      source: { type: "session", ...refs, sessionToken: { env: "TOKEN" } },
    },
    "web-identity": { type: "web-identity", roleArn: role, tokenFile, stsEndpoint: "http://127.0.0.1:1" },
    "process-output": { type: "process", command: [helper, secret("argument")] },
    "process-stderr": { type: "process", command: [loud, secret("argument")] },
    "process-profile": { type: "process", profile: "loud" },
    ini: { type: "ini", profile: "broken" },
    container: { type: "container" },
  };
}

async function world() {
  const path = await temporaryFolder();
  const sandbox = await startSandbox({ credentials: [{ accessKeyId: "AKIAGOOD", secretAccessKey: secret("good") }] });
  onTestFinished(() => sandbox.close());
  const file = async (name: string, content: string) => {
    await writeFile(join(path, name), content);
    return join(path, name);
  };
  const helper = await file(
    "helper",
    `#!/bin/sh\necho '{"Version":1,"SecretAccessKey":"${secret("helper")}"'\nexit 0\n`,
  );
  const loud = await file("loud", `#!/bin/sh\necho '${secret("loud")}' >&2\nexit 1\n`);
  await Promise.all([chmod(helper, 0o700), chmod(loud, 0o700)]);
  const env = {
    ID: "AKIAGOOD",
    SECRET: secret("env"),
    TOKEN: secret("token"),
    AWS_ENDPOINT_URL: sandbox.endpoint,
    AWS_CONFIG_FILE: await file(
      "config",
      `[profile loud]\ncredential_process = ${loud} --token ${secret("argument")}\n`,
    ),
    AWS_SHARED_CREDENTIALS_FILE: await file("credentials", `[broken]\naws_secret_access_key = ${secret("shared")}\n`),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:1/${CANARY.toLowerCase()}`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: secret("container"),
  };
  const tokenFile = await file("token", secret("web-identity"));
  const changing = await file("changing", secret("file"));
  const providers = everyProvider({ changing, tokenFile, helper, loud });
  const profiles = Object.fromEntries(
    Object.entries(providers).map(([name, provider]) => [name, { provider, allow: [] }]),
  );
  const keys = await generateSealKeys();
  return {
    env,
    keys,
    changing,
    names: Object.keys(providers),
    file: await file("profiles.json", JSON.stringify({ profiles, sealed: { allow: [] } })),
    keysFile: await file("keys.json", JSON.stringify(keys.privateKeys)),
    privateKey: String(keys.privateKeys.keys[0]?.["d"]),
  };
}

describe("no secret is shown", () => {
  test("by the failures of any provider, by denials, or by a resolved profile", async () => {
    const { env, file, names, changing } = await world();
    const profiles = await loadProfiles({ file, env });
    await rm(changing);
    const failing: string[] = [];
    for (const name of names) {
      const profile = await profiles.resolve(name);
      const seen: unknown[] = [profile];
      await profile.connection.credentials().then(
        () => undefined,
        (error: unknown) => void (failing.push(name), seen.push(error)),
      );
      const access = { credentials: name, bucket: "in", key: "a" };
      seen.push(await failureOf(() => checkPolicy(profile, "get-object", access)), profile);
      for (const thing of seen) expect(shown(thing)).not.toMatch(new RegExp(CANARY, "i"));
    }
    // All but the one whose keys are wrong only in the eyes of the store.
    expect(failing).toEqual(names.filter((name) => name !== "static"));
  });

  test("by sealed credentials, opened or refused", async () => {
    const { env, file, keys, keysFile, privateKey } = await world();
    const profiles = await loadProfiles({ file, env, sealing: { keysFile } });
    const sealed = await sealCredentials(keys.publicKeys, {
      accessKeyId: "AKIABAD",
      secretAccessKey: secret("sealed"),
      sessionToken: secret("sealed-token"),
    });
    const profile = await profiles.resolve(sealed);
    const things = [
      sealed,
      profile,
      await failureOf(() => checkPolicy(profile, "get-object", { credentials: sealed, bucket: "in", key: "a" })),
      await failureOf(() => profiles.resolve({ sealed: `${sealed.sealed}x` })),
      await failureOf(() => profiles.resolve({ sealed: secret("no-token") })),
      await failureOf(() => loadProfiles({ file, env: {}, sealing: { keysFile } })),
    ];
    for (const thing of things) {
      expect(shown(thing)).not.toMatch(new RegExp(CANARY, "i"));
      expect(shown(thing)).not.toContain(privateKey);
    }
  });

  test("by the problems of a profiles file that holds them in the wrong places", async () => {
    const path = await temporaryFolder();
    const file = join(path, "profiles.json");
    const inline = { type: "static", accessKeyId: secret("id"), secretAccessKey: { value: secret("key") } };
    const contents = [
      JSON.stringify({ profiles: { a: { provider: inline, endpoint: `http://user:${secret("url")}@host` } } }),
      JSON.stringify({ profiles: { a: { provider: secret("provider") } } }),
      JSON.stringify({ profiles: { a: { provider: { type: "process", command: `helper ${secret("command")}` } } } }),
      `{ "profiles": ${secret("syntax")}`,
    ];
    for (const content of contents) {
      await writeFile(file, content);
      const error = await failureOf(() => loadProfiles({ file, env: {} }));
      expect(error).toMatchObject({ code: "InvalidConfiguration" });
      expect(shown(error)).not.toMatch(new RegExp(CANARY, "i"));
    }
  });

  test("by a worker's configuration, right or wrong", async () => {
    const { env } = await world();
    const url = `redis://user:${encodeURIComponent(secret("redis"))}@127.0.0.1:6379/0`;
    const config = parseWorkerConfig({ ...env, REDIS_URL: url });
    expect(config.redis).toContain(CANARY);
    const wrong = await failureOf(() => parseWorkerConfig({ ...env, REDIS_URL: url.replace("redis:", "http:") }));
    const misplaced = `${url}?password=${secret("query")}`;
    const refused = await failureOf(() => parseWorkerConfig({ ...env, REDIS_URL: misplaced }));
    for (const thing of [describeConfig(config), wrong, refused])
      expect(shown(thing)).not.toMatch(new RegExp(CANARY, "i"));
  });
});
