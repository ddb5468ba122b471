import { join } from "node:path";
import { z } from "zod";
import { readYaml } from "./manifests.ts";

const Duration = z
  .string()
  .regex(/^\d+s$/)
  .transform((text) => Number.parseInt(text, 10));
const Service = z.strictObject({
  image: z
    .string()
    .regex(/^(bucketline|[\w./-]+:\d[\w.-]*|[\w./-]+:v\d[\w.-]*)$/, { error: "expected a pinned version" }),
  build: z.literal(".").optional(),
  user: z.string().optional(),
  profiles: z.array(z.literal("monitoring")).optional(),
  command: z.union([z.string(), z.array(z.string())]).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).default({}),
  // Loopback alone: no service here is made for others.
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\$\{[A-Z0-9_]+:-\d+\}:\d+$/)).default([]),
  volumes: z.array(z.string().regex(/^[^:]+:\/[^:]+(:ro)?$/)).default([]),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.literal("CMD")], z.string()),
      interval: Duration,
      timeout: Duration,
      start_period: Duration.optional(),
      retries: z.int(),
    })
    .optional(),
  depends_on: z
    .union([
      z.array(z.string()).transform((names) => Object.fromEntries(names.map((name) => [name, "service_started"]))),
      z
        .record(z.string(), z.strictObject({ condition: z.enum(["service_started", "service_healthy"]) }))
        .transform((all) => Object.fromEntries(Object.entries(all).map(([name, { condition }]) => [name, condition]))),
    ])
    .default({}),
  stop_grace_period: Duration.optional(),
  restart: z.literal("unless-stopped"),
});
const File = z.strictObject({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.null()) });
export type Compose = z.output<typeof File>;

/** Reads docker-compose.yml with those variables set: `${NAME:-default}` is the default of others, `${NAME:?why}` needs one. */
export function readCompose(root: string, variables: Readonly<Record<string, string>> = {}): Compose {
  const { data, error } = File.safeParse(readYaml(join(root, "docker-compose.yml"))[0]);
  if (error) throw new Error(z.prettifyError(error));
  const services = Object.entries(data.services).map(([name, service]) => {
    const environment = Object.entries(service.environment).map(([key, value]) => [key, filled(value, variables)]);
    return [name, { ...service, environment: Object.fromEntries(environment) }];
  });
  return { ...data, services: Object.fromEntries(services) };
}

function filled(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+):([-?])([^}]*)\}/g, (_all, name: string, kind: string, rest: string) => {
    const value = variables[name] ?? (kind === "-" ? rest : undefined);
    if (value === undefined) throw new Error(`${name}: ${rest}`);
    return value;
  });
}
