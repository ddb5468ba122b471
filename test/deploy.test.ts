import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { parseDashboardConfig } from "../dashboard/config.ts";
import { createDashboard } from "../dashboard/create.ts";
import { createToken } from "../dashboard/password-hash.ts";
import { type Family, readExposition } from "./deploy/exposition.ts";
import { ofKind, readManifests, readYaml } from "./deploy/manifests.ts";
import { missing, selectorsOf } from "./deploy/promql.ts";
import { redisUrl } from "./fixtures.ts";
import { type Harness, startHarness } from "./harness.ts";

const root = join(import.meta.dirname, "..");
const deploy = join(root, "deploy");
const manifests = readManifests(join(deploy, "kubernetes"));

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

/** Real pages, after jobs that completed, failed and were throttled. */
const pages = { worker: "", dashboard: "" };
const { token, hash } = createToken();
let families: ReadonlyMap<string, Family>;
let workerUrl: string;
let dashboardUrl: string;
const bearer = { headers: { authorization: `Bearer ${token}` } };

beforeAll(async () => {
  const harness = await startHarness({ env: { BUCKETLINE_HEALTH_PORT: "0" } });
  closers.push(() => harness.close());
  const dashboard = await createDashboard(
    parseDashboardConfig({
      REDIS_URL: redisUrl(),
      BUCKETLINE_PREFIX: harness.prefix,
      DOCUMENTS_URL: harness.config.documentsUrl,
      BUCKETLINE_DASHBOARD_PORT: "0",
      BUCKETLINE_DASHBOARD_TOKENS: `prometheus:viewer:${hash}`,
    }),
    { log: pino({ level: "silent" }) },
  );
  closers.push(() => dashboard.close());
  await work(harness);
  workerUrl = `http://127.0.0.1:${harness.worker.healthPort ?? 0}`;
  dashboardUrl = `http://127.0.0.1:${dashboard.address.port}`;
  await fetch(`${dashboardUrl}/metrics`, bearer); // so that the second answer counts the first
  pages.worker = await (await fetch(`${workerUrl}/metrics`)).text();
  pages.dashboard = await (await fetch(`${dashboardUrl}/metrics`, bearer)).text();
  families = new Map([...readExposition(pages.worker).families, ...readExposition(pages.dashboard).families]);
});

async function work({ sandbox, producer, run }: Harness): Promise<void> {
  sandbox.createBucket("in");
  const document = await producer.documents.write(Buffer.from("text"), { name: "a.txt", contentType: "text/plain" });
  await run("put-object", { bucket: "in", document });
  sandbox.fault({ kind: "slow-down", operation: "CopyObject", times: 1 });
  await run("copy-object", { object: { bucket: "in", key: "a.txt" }, destination: { bucket: "in", key: "b.txt" } });
  sandbox.createBucket("out");
  const copy = { operation: "copy", source: { bucket: "in" }, destination: { bucket: "out" } } as const;
  await (await producer.batches.start(copy)).done();
  await expect(run("head-object", { object: { bucket: "in", key: "none" } })).rejects.toThrow(/NoSuchKey|NotFound/);
}

describe("metrics", () => {
  // prom-client's names for how many handles, requests and resources Node holds now.
  const NOT_OURS = /nodejs_active_(handles|requests|resources)_total: expected _total/;

  test.each(["worker", "dashboard"] as const)("of the %s are a page that promtool accepts", (name) => {
    const { families: found, problems } = readExposition(pages[name]);
    expect(problems.filter((problem) => !NOT_OURS.test(problem))).toEqual([]);
    expect([...found.keys()].filter((metric) => metric.startsWith("bucketline_")).length).toBeGreaterThan(5);
  });

  test("count what was done", () => {
    const total = (name: string) => families.get(name)?.samples.reduce((sum, { value }) => sum + value, 0) ?? 0;
    expect(total("bucketline_s3_throttles_total")).toBeGreaterThan(0);
    expect(total("bucketline_s3_bytes_total")).toBeGreaterThan(0);
    expect(total("bucketline_workers")).toBeGreaterThan(0);
    const batches = ["bucketline_batch_objects_total", "bucketline_batches_ended_total"].flatMap(
      (name) => families.get(name)?.samples.filter(({ value }) => value > 0) ?? [],
    );
    expect(batches.map(({ labels, value }) => [labels, value])).toEqual([
      [{ operation: "copy", outcome: "succeeded" }, 2],
      [{ state: "completed" }, 1],
    ]);
    expect(total("bucketline_batch_bytes_total")).toBe(8);
  });

  test.each([
    ["# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n", "a: HELP twice"],
    ["# HELP a x\n# TYPE a gauge\na 1\na 2\n", "a 2: the same series twice"],
    ['# HELP a x\n# TYPE a gauge\na{b="1",c="2"} 1\na{c="2",b="1"} 2\n', 'a{c="2",b="1"} 2: the same series twice'],
    ["# HELP a x\n# TYPE a counter\na 1\n", "a: expected _total at the end of counters, and of them alone"],
    [
      "# HELP a_total x\n# TYPE a_total gauge\na_total 1\n",
      "a_total: expected _total at the end of counters, and of them alone",
    ],
    ["# TYPE a gauge\na 1\n", "a: expected a HELP"],
    ["# HELP a-b x\n# TYPE a-b gauge\n", "a-b: expected lower case letters, digits and underscores"],
    ["# HELP a x\n# TYPE a gauge\nb 1\n", "b 1: under no HELP and TYPE of its own"],
    ['# HELP a x\n# TYPE a gauge\na{b="1} 1\n', 'a{b="1} 1: expected name{label="value"} number'],
    ["# HELP a x\n# TYPE a gauge\na one\n", 'a one: expected name{label="value"} number'],
    ["# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n", "a_ms: expected seconds and bytes"],
  ])("%j is refused", (text, problem) => {
    expect(readExposition(text).problems).toContain(problem);
  });
});

const Rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Bucketline[A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[mh]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(["info", "warning", "critical"]) }),
          annotations: z.strictObject({ summary: z.string().min(10), runbook: z.string().min(20) }),
        }),
      ),
    }),
  ),
});

describe("alerts", () => {
  const rules = Rules.parse(readYaml(join(deploy, "prometheus/alerts.yml"))[0]).groups.flatMap((group) => group.rules);

  test("have names of their own, and docs/production.md names no others", () => {
    const names = new Set(rules.map(({ alert }) => alert));
    expect(names.size).toBe(rules.length);
    const guide = readFileSync(join(root, "docs/production.md"), "utf8");
    const named = [...guide.matchAll(/`(Bucketline[A-Z]\w+)`/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !names.has(name))).toEqual([]);
  });

  test.each(rules.map((rule) => [rule.alert, rule] as const))("%s asks for metrics that there are", (_name, rule) => {
    expect(selectorsOf(rule.expr).length).toBeGreaterThan(0);
    expect(missing(rule.expr, families)).toEqual([]);
  });

  test("speak of labels that their result has", () => {
    const wrong = rules.flatMap(({ alert, expr, annotations }) =>
      [...annotations.summary.matchAll(/\$labels\.(\w+)/g)].flatMap(([, label = ""]) => {
        const has = ["job", "instance"].includes(label) || selectorsOf(expr).some(({ name }) => hasLabel(name, label));
        const gone = [...expr.matchAll(/without \(([^)]*)\)/g)].some(([, list = ""]) =>
          list.split(", ").includes(label),
        );
        return has && !gone ? [] : [`${alert}: ${label}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("know the codes that they look for", () => {
    const source = ["model", "credentials", "s3", "worker", "jobs", "documents", "sandbox"]
      .map((room) => textBelow(join(root, room)))
      .join("\n");
    const codes = rules.flatMap(({ expr }) => selectorsOf(expr).flatMap(({ matchers }) => matchers));
    const words = codes.filter(({ label }) => label === "code").flatMap(({ value }) => value.split("|"));
    expect(words.length).toBeGreaterThan(5);
    expect(words.filter((code) => !source.includes(`"${code}"`))).toEqual([]);
  });

  test("watch the jobs that Prometheus scrapes, in Compose and in Kubernetes", () => {
    const Config = z.looseObject({ scrape_configs: z.array(z.looseObject({ job_name: z.string() })) });
    const config = Config.parse(readYaml(join(deploy, "prometheus/prometheus.yml"))[0]);
    const names = config.scrape_configs.map((scrape) => scrape.job_name);
    const patterns = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/up\{job=~"([^"]+)"\}/g)].map(([, job = ""]) => job),
    );
    expect(patterns.length).toBeGreaterThan(0);
    const monitors = ofKind("PodMonitor", manifests);
    const labels = monitors.map(({ spec }) => spec.selector.matchLabels[spec.jobLabel] ?? "");
    for (const jobs of [names, labels]) {
      for (const pattern of patterns)
        expect(jobs.filter((job) => new RegExp(`^${pattern}$`).test(job))).toHaveLength(1);
    }
  });

  test.each([
    ["bucketline_nothing > 0", "there is no metric bucketline_nothing"],
    ['bucketline_queue_jobs{place="x"}', "bucketline_queue_jobs has no label place"],
    ['bucketline_queue_jobs{state="asleep"}', 'bucketline_queue_jobs has no series with state="asleep"'],
    ["bucketline_queue_jobs_bucket", "there is no metric bucketline_queue_jobs_bucket"],
  ])("an expression such as %s would be found out", (expression, problem) => {
    expect(missing(expression, families)).toEqual([problem]);
  });
});

function hasLabel(metric: string, label: string): boolean {
  return families.get(metric)?.samples.some(({ labels }) => label in labels) ?? false;
}

function textBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
}

const Source = z.strictObject({ type: z.literal("prometheus"), uid: z.literal("${datasource}") });
const Box = z.strictObject({ h: z.int(), w: z.int(), x: z.int(), y: z.int() });
const Target = z.looseObject({ refId: z.string(), datasource: Source, expr: z.string(), legendFormat: z.string() });
const Grafana = z.looseObject({
  uid: z.string(),
  title: z.string(),
  schemaVersion: z.int().min(36),
  templating: z.strictObject({
    list: z.array(z.looseObject({ name: z.string(), type: z.string(), definition: z.string().optional() })),
  }),
  panels: z.array(
    z.discriminatedUnion("type", [
      z.looseObject({ type: z.literal("row"), id: z.int(), title: z.string().min(1), gridPos: Box }),
      ...(["timeseries", "stat"] as const).map((type) =>
        z.looseObject({
          type: z.literal(type),
          id: z.int(),
          title: z.string().min(1),
          gridPos: Box,
          datasource: Source,
          targets: z.array(Target).min(1),
          fieldConfig: z.looseObject({ defaults: z.looseObject({ unit: z.string() }) }),
        }),
      ),
    ]),
  ),
});

describe("the Grafana dashboard", () => {
  const dashboard = Grafana.parse(JSON.parse(readFileSync(join(deploy, "grafana/bucketline.json"), "utf8")));
  const targets = dashboard.panels.flatMap((panel) => (panel.type === "row" ? [] : panel.targets));

  test("asks for metrics, labels and values that there are", () => {
    expect(targets.length).toBeGreaterThan(20);
    const queries = dashboard.templating.list.map(({ definition }) => definition ?? "");
    for (const expression of [...targets.map(({ expr }) => expr), ...queries])
      expect(missing(expression, families)).toEqual([]);
  });

  test("uses variables that it has", () => {
    const names = new Set([...dashboard.templating.list.map(({ name }) => name), "__rate_interval"]);
    const used = targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = ""]) => name));
    expect(used.filter((name) => !names.has(name))).toEqual([]);
  });

  test("has panels with ids of their own, side by side on 24 columns", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.filter(({ gridPos }) => gridPos.x + gridPos.w > 24)).toEqual([]);
  });

  test("shows every metric of the workers but those of Node", () => {
    const used = new Set(
      targets.flatMap(({ expr }) => selectorsOf(expr).map(({ name }) => name.replace(/_bucket$/, ""))),
    );
    const ours = [...readExposition(pages.worker).families.keys()].filter(
      (name) => !name.startsWith("bucketline_worker_"),
    );
    expect(ours.filter((name) => !used.has(name))).toEqual([]);
  });
});

describe("the Kubernetes manifests", () => {
  test("probe and scrape paths that are served, the dashboard's metrics to whoever has a token", async () => {
    const urls: Record<string, string> = { "bucketline-worker": workerUrl, "bucketline-dashboard": dashboardUrl };
    const paths = ofKind("Deployment", manifests).flatMap(({ metadata, spec }) => {
      const [{ livenessProbe, readinessProbe, startupProbe = livenessProbe }] = spec.template.spec.containers;
      return [livenessProbe, readinessProbe, startupProbe].map(
        ({ httpGet }) => `${urls[metadata.name]}${httpGet.path}`,
      );
    });
    expect(await Promise.all(paths.map((path) => status(path)))).toEqual(paths.map(() => 200));
    const scraped = ofKind("PodMonitor", manifests).flatMap(({ spec }) =>
      spec.podMetricsEndpoints.map(({ path }) => path),
    );
    expect(new Set(scraped)).toEqual(new Set(["/metrics"]));
    expect(await status(`${dashboardUrl}/metrics`)).toBe(401);
    expect(await status(`${dashboardUrl}/metrics`, bearer)).toBe(200);
  });

  test("scale by metrics that there are", () => {
    const queries = ofKind("ScaledObject", manifests).flatMap(({ spec }) =>
      spec.triggers.map(({ metadata }) => metadata.query),
    );
    expect(queries.length).toBeGreaterThan(0);
    for (const query of queries) expect(missing(query, families)).toEqual([]);
  });
});

async function status(url: string, init?: RequestInit): Promise<number> {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return response.status;
}
