import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { readRedisUrl } from "../../redis/connection/url.ts";
import { parseWorkerConfig } from "../../worker/config/parse.ts";

const folder = join(import.meta.dirname, "../../deploy/redis");
const File = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z
        .string()
        .regex(/^redis:\d+\.\d+\.\d+-alpine$/)
        .optional(),
      hostname: z.string().optional(),
      environment: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).default({}),
    }),
  ),
});

function documents(name: string): unknown[] {
  const text = readFileSync(join(folder, name), "utf8");
  return parseAllDocuments(text, { merge: true }).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });
}

test.each(["sentinel", "cluster"] as const)(
  "the compose file of a %s leads worker and dashboard to servers that it starts",
  (kind) => {
    const [file] = documents(`compose.${kind}.yml`);
    const { services } = File.parse(file);
    const addresses = (name: string) => {
      const url = services[name]?.environment["REDIS_URL"]?.replaceAll(/\$\{[^}]+\}/g, "secret") ?? "";
      const target = readRedisUrl(url);
      expect(target.kind).toBe(kind);
      return target.kind === "cluster" ? target.nodes : (target.options.sentinels ?? []);
    };
    for (const name of ["worker", "dashboard"])
      for (const { host } of addresses(name)) expect(services[String(host)]?.hostname).toBe(host);
    const config = parseWorkerConfig({ ...services["worker"]?.environment, REDIS_URL: "redis://127.0.0.1" });
    expect([config.prefix, config.waitReplicas]).toEqual(kind === "cluster" ? ["{bucketline}", 0] : ["bucketline", 1]);
  },
);

test.each(["sentinel", "cluster"] as const)("the manifests of a %s say which URL leads to their pods", (kind) => {
  const name = `kubernetes.${kind}.yaml`;
  const sets = documents(name).filter(
    (manifest) => z.looseObject({ kind: z.literal("StatefulSet") }).safeParse(manifest).success,
  );
  expect(sets).toHaveLength(1);
  const url = /redis\+\w+:\/\/\S+/.exec(readFileSync(join(folder, name), "utf8"))?.[0] ?? "";
  const target = readRedisUrl(url);
  const hosts = (target.kind === "cluster" ? target.nodes : (target.options.sentinels ?? [])).map(({ host }) => host);
  expect([target.kind, ...hosts]).toEqual([kind, "redis-0.redis", "redis-1.redis", "redis-2.redis"]);
});

test("every one of these files is looked at", () => {
  expect(readdirSync(folder).toSorted()).toEqual([
    "compose.cluster.yml",
    "compose.sentinel.yml",
    "kubernetes.cluster.yaml",
    "kubernetes.sentinel.yaml",
  ]);
});
