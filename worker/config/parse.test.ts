import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { activityNames } from "../../jobs/contracts.ts";
import { REDIS_VARIABLES } from "../../redis/connection/url-from-environment.ts";
import { parseWorkerConfig } from "./parse.ts";
import { variables } from "./variables.ts";
import { describeConfig } from "./description.ts";

/** Each line of the one error. */
function problems(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseWorkerConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ActivityError) || error.code !== "InvalidConfiguration") throw error;
    return error.message.split("\n  - ").slice(1);
  }
}

function secretFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), "bucketline-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "secret"), content);
  return join(folder, "secret");
}

test("every variable is documented, and no other", () => {
  const guide = readFileSync(join(import.meta.dirname, "../../docs/configuration.md"), "utf8");
  const documented = [...guide.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
  expect(new Set(documented)).toEqual(
    new Set([...Object.keys(variables("/").shape), "REDIS_URL_FILE", ...REDIS_VARIABLES]),
  );
});

describe("an empty environment", () => {
  const config = parseWorkerConfig({}, { cwd: "/srv/app" });

  test("gives a worker for everything on a local Redis", () => {
    expect(config).toMatchObject({
      redis: "redis://127.0.0.1:6379",
      prefix: "bucketline",
      activities: activityNames,
      batches: true,
      documentsUrl: "file:///srv/app/.bucketline/documents",
      operationTimeoutMs: 3_600_000,
      shutdownTimeoutMs: 25_000,
      health: undefined,
      logLevel: "info",
      allowEviction: false,
      retention: { completed: { age: 86_400, count: 100_000 }, failed: { age: 604_800, count: 100_000 } },
    });
    expect(config.profiles).toMatchObject({ file: undefined, sealing: undefined });
  });

  test("runs fewer at once of what holds buffers", () => {
    expect(config.concurrency).toMatchObject({ "list-objects": 32, "get-object": 16, "put-object": 8, batches: 4 });
  });
});

describe("values", () => {
  test("are read with their units", () => {
    const config = parseWorkerConfig({
      BUCKETLINE_OPERATION_TIMEOUT: "90m",
      BUCKETLINE_SHUTDOWN_TIMEOUT: "1.5s",
      BUCKETLINE_IDLE_TIMEOUT: " 2000ms ",
      BUCKETLINE_KEEP_FAILED: "30d",
      BUCKETLINE_MULTIPART_THRESHOLD: "64MiB",
      BUCKETLINE_UPLOAD_PART_SIZE: "16MB",
      BUCKETLINE_FAST_PATH: "No",
      BUCKETLINE_ALLOW_EVICTION: "1",
    });
    expect(config).toMatchObject({
      operationTimeoutMs: 5_400_000,
      shutdownTimeoutMs: 1_500,
      s3: { idleTimeoutMs: 2_000, uploadPartSize: 16_000_000, fastPath: false },
      retention: { failed: { age: 2_592_000 } },
      profiles: { defaults: { multipartThreshold: 67_108_864 } },
      allowEviction: true,
    });
  });

  test("choose activities in any order, batches among them", () => {
    const config = parseWorkerConfig({ BUCKETLINE_ACTIVITIES: "move-object, list-objects,list-objects," });
    expect(config).toMatchObject({ activities: ["list-objects", "move-object"], batches: false });
    expect(parseWorkerConfig({ BUCKETLINE_ACTIVITIES: "batches" })).toMatchObject({ activities: [], batches: true });
    expect(parseWorkerConfig({ BUCKETLINE_ACTIVITIES: "all" })).toMatchObject({
      activities: activityNames,
      batches: true,
    });
  });

  test("set concurrency for all activities, for some, or both; chunks of batches only by name", () => {
    const of = (text: string) => parseWorkerConfig({ BUCKETLINE_CONCURRENCY: text }).concurrency;
    expect(of("5")).toMatchObject({ "list-objects": 5, "get-object": 5, "put-object": 5, batches: 4 });
    expect(of("list-objects=4, get-object=9")).toMatchObject({ "list-objects": 4, "get-object": 9, "put-object": 8 });
    expect(of("2,move-object=64,batches=8")).toMatchObject({ "list-objects": 2, "move-object": 64, batches: 8 });
  });

  test("that are empty count as absent", () => {
    const config = parseWorkerConfig({ REDIS_URL: "", BUCKETLINE_REGION: " ", BUCKETLINE_PROFILES: "" });
    expect(config.redis).toBe("redis://127.0.0.1:6379");
    expect(config.profiles).toMatchObject({ file: undefined, defaults: { region: undefined } });
  });

  test("that are paths start from the worker's directory", () => {
    const env = { BUCKETLINE_PROFILES: "etc/profiles.json", BUCKETLINE_SEAL_KEYS_FILE: "/run/secrets/seal.json" };
    const config = parseWorkerConfig(env, { cwd: "/srv/app" });
    expect(config.profiles).toMatchObject({
      file: "/srv/app/etc/profiles.json",
      sealing: { keysFile: "/run/secrets/seal.json" },
    });
  });

  test("serve probes only where a port is given", () => {
    expect(parseWorkerConfig({ BUCKETLINE_HEALTH_PORT: "0" }).health).toEqual({ host: "127.0.0.1", port: 0 });
    const anywhere = parseWorkerConfig({ BUCKETLINE_HEALTH_PORT: "8080", BUCKETLINE_HEALTH_HOST: "0.0.0.0" });
    expect(anywhere.health).toEqual({ host: "0.0.0.0", port: 8080 });
  });
});

describe("secrets", () => {
  test("may lie in a file", () => {
    const file = secretFile("rediss://worker:pass@redis:6380/1\n");
    expect(parseWorkerConfig({ REDIS_URL_FILE: file }).redis).toBe("rediss://worker:pass@redis:6380/1");
  });

  test("may not be in two places, and their file must be there", () => {
    const file = secretFile("redis://one");
    expect(problems({ REDIS_URL_FILE: file, REDIS_URL: "redis://two" })).toEqual([
      "REDIS_URL_FILE: expected either it or REDIS_URL, got both",
    ]);
    expect(problems({ REDIS_URL_FILE: "/does/not/exist" })).toEqual([
      "REDIS_URL_FILE: expected a readable file at /does/not/exist, got ENOENT",
    ]);
  });

  test("are in no problem and no description", () => {
    const url = "http://user:canary-7f3a@host";
    expect(problems({ REDIS_URL: url })).toEqual([
      expect.stringMatching(
        /^REDIS_URL: expected redis:\/\/\[user:password@\]host.*redis\+sentinel.*redis\+cluster/,
      ) as string,
    ]);
    expect(problems({ REDIS_URL: "redis://host/0?password=canary-7f3a" }).join()).not.toContain("canary");
    const config = parseWorkerConfig({
      REDIS_URL: "redis+sentinel://user:canary-7f3a@host:26379/main/2?sentinelPassword=canary-7f3a",
      AWS_SECRET_ACCESS_KEY: "canary-7f3a",
      SOME_SECRET: "canary-7f3a",
    });
    expect(JSON.stringify(describeConfig(config))).not.toContain("canary");
    expect(describeConfig(config)).toMatchObject({ redis: "redis+sentinel://user:***@host:26379/main/2" });
  });
});

describe("problems", () => {
  test("come all at once, each with its variable and what was expected", () => {
    expect(
      problems({
        REDIS_URL: "localhost:6379",
        BUCKETLINE_PREFIX: "a:b",
        BUCKETLINE_ACTIVITIES: "list-object",
        BUCKETLINE_CONCURRENCY: "0,batch=2",
        BUCKETLINE_REGION: "aws-global",
        BUCKETLINE_OPERATION_TIMEOUT: "30",
        BUCKETLINE_MULTIPART_THRESHOLD: "6GiB",
        BUCKETLINE_MAX_SOCKETS: "many",
        BUCKETLINE_LOG_LEVEL: "inform",
        BUCKETLINE_ALLOW_EVICTION: "maybe",
        DOCUMENTS_URL: "/var/documents",
      }).map((line) => line.slice(0, line.indexOf(":"))),
    ).toEqual([
      "REDIS_URL",
      "DOCUMENTS_URL",
      "BUCKETLINE_PREFIX",
      "BUCKETLINE_ACTIVITIES",
      "BUCKETLINE_CONCURRENCY",
      "BUCKETLINE_CONCURRENCY",
      "BUCKETLINE_REGION",
      "BUCKETLINE_OPERATION_TIMEOUT",
      "BUCKETLINE_MAX_SOCKETS",
      "BUCKETLINE_MULTIPART_THRESHOLD",
      "BUCKETLINE_LOG_LEVEL",
      "BUCKETLINE_ALLOW_EVICTION",
    ]);
  });

  test("say what was probably meant", () => {
    expect(problems({ BUCKETLINE_PROFILE: "x" })).toEqual([
      "BUCKETLINE_PROFILE: no variable of this name is known; did you mean BUCKETLINE_PROFILES?",
    ]);
    expect(problems({ BUCKETLINE_ACTIVITIES: "list-object" })[0]).toMatch(
      /got "list-object"; did you mean list-objects\?$/,
    );
    expect(problems({ BUCKETLINE_LOG_LEVEL: "infos" })[0]).toMatch(/did you mean info\?$/);
  });

  test("say why aws-global is no region", () => {
    expect(problems({ BUCKETLINE_REGION: "aws-global" })[0]).toContain("pseudo-region");
  });

  test.each(["30", "30 minutes", "-1s", "1h30m", "0ms", "25d", "1e3s", ""])("refuse the duration %j", (text) => {
    expect(problems({ BUCKETLINE_OPERATION_TIMEOUT: text })).toHaveLength(text === "" ? 0 : 1);
  });

  test("leave alone what Kubernetes and other executables put there", () => {
    expect(
      problems({
        BUCKETLINE_REDIS_SERVICE_HOST: "10.0.0.1",
        BUCKETLINE_REDIS_PORT: "tcp://10.0.0.1:6379",
        BUCKETLINE_REDIS_PORT_6379_TCP_ADDR: "10.0.0.1",
        BUCKETLINE_SERVICE_PORT_HTTP: "80",
        BUCKETLINE_DASHBOARD_USERS: "/etc/users",
      }),
    ).toEqual([]);
  });

  test("find a misspelt port among the variables that end like those of Kubernetes", () => {
    expect(problems({ BUCKETLINE_HELTH_PORT: "8080" })).toEqual([
      "BUCKETLINE_HELTH_PORT: no variable of this name is known; did you mean BUCKETLINE_HEALTH_PORT?",
    ]);
  });

  test("name the Kubernetes service link that takes the place of a port", () => {
    expect(problems({ BUCKETLINE_HEALTH_PORT: "tcp://10.0.0.1:8080" })).toEqual([
      "BUCKETLINE_HEALTH_PORT: expected a port, got a Kubernetes service link; set enableServiceLinks: false in the pod",
    ]);
  });
});
