import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type DynamicModule, Module, Injectable, Inject } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { expect, onTestFinished, vi } from "vitest";
import { redisUrl, uniquePrefix } from "../test/fixtures.ts";
import { test } from "../test/harness.ts";
import { BucketlineClient, BucketlineHealthIndicator, BucketlineModule } from "./index.ts";

const root = join(import.meta.dirname, "..");
/** Written with decorators, as apps are: its folder has settings of its own for TypeScript. */
const EXAMPLE = join(root, "examples/nestjs/app.ts");

/** An app of one module; it is closed after the test. */
async function start(imported: DynamicModule, providers: readonly (new (client: BucketlineClient) => object)[] = []) {
  // A class each, as decorators want them.
  const [Feature, App] = [class extends Object {}, class extends Object {}];
  Module({ providers: [...providers] })(Feature);
  Module({ imports: [imported, Feature] })(App);
  const app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
  onTestFinished(() => app.close());
  return app;
}

test("the example lists buckets through a worker, and stands on the page of the docs as it is", async ({ harness }) => {
  vi.stubEnv("REDIS_URL", redisUrl());
  vi.stubEnv("BUCKETLINE_PREFIX", harness.prefix);
  onTestFinished(() => void vi.unstubAllEnvs());
  harness.sandbox.createBucket("in-nest");
  const { AppModule } = (await import(EXAMPLE)) as { readonly AppModule: new () => object }; // as the file exports it
  const app = await NestFactory.create(AppModule, { logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, "127.0.0.1");
  const ask = async (path: string) => (await fetch((await app.getUrl()) + path)).json();
  expect(await ask("/buckets")).toEqual(["in-nest"]);
  expect(await ask("/readyz")).toEqual({ bucketline: { status: "up", milliseconds: expect.any(Number) as number } });
  const file = await readFile(EXAMPLE, "utf8");
  expect(await readFile(join(root, "docs/nestjs.md"), "utf8")).toContain(file);
});

test("a module that did not import it gets the client, which is closed at shutdown", async () => {
  class Service {
    readonly client: BucketlineClient;
    constructor(client: BucketlineClient) {
      this.client = client;
    }
  }
  Injectable()(Service);
  Inject(BucketlineClient)(Service, undefined, 0);
  const app = await start(BucketlineModule.forRoot({ redis: redisUrl(), prefix: uniquePrefix() }), [Service]);
  const { client } = app.get(Service);
  expect((await client.enqueue("list-buckets", {})).activity).toBe("list-buckets");
  await app.close();
  await expect(client.enqueue("list-buckets", {})).rejects.toMatchObject({ code: "ProducerClosed" });
});

test("a module of one's own is not told of it where it is not global", async () => {
  const Service = class extends Object {};
  Inject(BucketlineClient)(Service, undefined, 0);
  const imported = BucketlineModule.forRoot({ redis: redisUrl(), isGlobal: false });
  await expect(start(imported, [Service])).rejects.toThrow(/BucketlineClient/);
});

test("health is down, with the reason and in time, while Redis does not answer", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo; // it listens on TCP
  class Settings {
    createBucketlineOptions() {
      return { redis: `redis://127.0.0.1:${port}`, redisTimeout: 500 };
    }
  }
  const app = await start(BucketlineModule.forRootAsync({ useClass: Settings }));
  const health = await app.get(BucketlineHealthIndicator).isHealthy("queue", { timeout: 50 });
  expect(health).toEqual({
    queue: {
      status: "down",
      code: "RedisUnavailable",
      message: "RedisUnavailable: ping: Redis did not answer within 50 ms",
    },
  });
});
