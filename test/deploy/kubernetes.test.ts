import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { parseDashboardConfig } from "../../dashboard/config.ts";
import { createToken, hashPassword } from "../../dashboard/password-hash.ts";
import { parseWorkerConfig } from "../../worker/config/parse.ts";
import { loadProfiles } from "../../credentials/load-profiles.ts";
import { environmentOf, ofKind, readManifests, readYaml, selects } from "./manifests.ts";

/** A worker ends at most so many seconds after its shutdown timeout (worker/main.ts). */
const SHUTDOWN_MARGIN_S = 5;

describe("the Kubernetes manifests", () => {
  const folder = join(import.meta.dirname, "../../deploy/kubernetes");
  const manifests = readManifests(folder);
  const deployments = ofKind("Deployment", manifests);
  const named = (name: string) => deployments.find(({ metadata }) => metadata.name === name) ?? deployments[0]!; // one is tested to be there
  const worker = named("bucketline-worker");
  const dashboard = named("bucketline-dashboard");
  const podLabels = deployments.map(({ spec }) => spec.template.metadata.labels);

  test("are a worker and a dashboard, each thing under a name of its own", () => {
    expect(deployments.map(({ metadata }) => metadata.name).toSorted()).toEqual([
      "bucketline-dashboard",
      "bucketline-worker",
    ]);
    const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    const accounts = ofKind("ServiceAccount", manifests).map(({ metadata }) => metadata.name);
    for (const { spec } of deployments) expect(accounts).toContain(spec.template.spec.serviceAccountName);
    const commands = deployments.map(({ spec }) => spec.template.spec.containers[0].args.join(" "));
    expect(commands.toSorted()).toEqual(["dashboard", "worker"]);
  });

  test("are all in a kustomization, but for the pattern of the secrets", () => {
    const Kustomization = z.looseObject({ resources: z.array(z.string()) });
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));
    const listed = files
      .filter((name) => name.endsWith("kustomization.yaml"))
      .flatMap((name) =>
        Kustomization.parse(readYaml(join(folder, name))[0]).resources.map((file) => join(dirname(name), file)),
      );
    const rest = files.filter((name) => !name.endsWith("kustomization.yaml"));
    expect(listed.toSorted()).toEqual(rest.filter((name) => name !== "secret.example.yaml").toSorted());
  });

  test("make the namespace that everything goes into", () => {
    const { namespace } = z
      .looseObject({ namespace: z.string() })
      .parse(readYaml(join(folder, "kustomization.yaml"))[0]);
    expect(ofKind("Namespace", manifests).map(({ metadata }) => metadata.name)).toEqual([namespace]);
  });

  test("select pods that there are, by labels that those have", () => {
    const selectors = [
      ...deployments.map(({ spec }) => spec.selector.matchLabels),
      ...deployments.flatMap(({ spec }) =>
        spec.template.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
      ),
      ...ofKind("Service", manifests).map(({ spec }) => spec.selector),
      ...ofKind("PodDisruptionBudget", manifests).map(({ spec }) => spec.selector.matchLabels),
      ...ofKind("PodMonitor", manifests).map(({ spec }) => spec.selector.matchLabels),
    ];
    expect(selectors.length).toBeGreaterThan(6);
    for (const selector of selectors) expect(podLabels.filter((labels) => selects(selector, labels))).toHaveLength(1);
    for (const { spec } of deployments)
      expect(selects(spec.selector.matchLabels, spec.template.metadata.labels)).toBe(true);
    for (const { spec } of ofKind("ScaledObject", manifests))
      expect(spec.scaleTargetRef.name).toBe(worker.metadata.name);
  });

  test("name ports that the selected containers have", () => {
    const portsOf = (selector: Readonly<Record<string, string>>) =>
      deployments
        .filter(({ spec }) => selects(selector, spec.template.metadata.labels))
        .flatMap(({ spec }) => spec.template.spec.containers[0].ports.map(({ name }) => name));
    for (const { spec } of ofKind("Service", manifests))
      for (const { targetPort } of spec.ports) expect(portsOf(spec.selector)).toContain(targetPort);
    for (const { spec } of ofKind("PodMonitor", manifests))
      for (const { port } of spec.podMetricsEndpoints) expect(portsOf(spec.selector.matchLabels)).toContain(port);
    for (const { spec } of deployments) {
      const [{ livenessProbe, readinessProbe, startupProbe, ports }] = spec.template.spec.containers;
      for (const { httpGet } of [livenessProbe, readinessProbe, startupProbe ?? livenessProbe])
        expect(ports.map(({ name }) => name)).toContain(httpGet.port);
    }
  });

  test("give the worker an environment that it accepts, profiles that it can load, and time to end", async () => {
    const env = await inFiles(environmentOf(worker, manifests));
    const config = parseWorkerConfig(env);
    expect(config).toMatchObject({
      redis: expect.stringMatching(/^rediss:/),
      prefix: "bucketline",
      health: { host: "0.0.0.0" },
    });
    expect(await loadProfiles(config.profiles)).toMatchObject({ names: ["default", "partner"] });
    const { containers, terminationGracePeriodSeconds } = worker.spec.template.spec;
    expect(containers[0].ports.map(({ containerPort }) => containerPort)).toEqual([config.health?.port]);
    expect(terminationGracePeriodSeconds).toBeGreaterThan(config.shutdownTimeoutMs / 1000 + SHUTDOWN_MARGIN_S);
  });

  test("give the dashboard an environment that it accepts once the secrets are filled in, and not before", async () => {
    const { env, files } = environmentOf(dashboard, manifests);
    const asWritten = await inFiles({ env, files });
    expect(() => parseDashboardConfig(asWritten)).toThrow(
      /BUCKETLINE_DASHBOARD_USERS: entry 1.*BUCKETLINE_DASHBOARD_TOKENS: entry 1/s,
    );
    const hashes = { HASH_OF_A_PASSWORD: await hashPassword("secret"), HASH_OF_A_TOKEN: createToken().hash };
    const filled = Object.entries(files).map(([path, text]) => [
      path,
      Object.entries(hashes).reduce((result, [placeholder, value]) => result.replaceAll(placeholder, value), text),
    ]);
    const config = parseDashboardConfig(
      await inFiles({ env, files: Object.fromEntries(filled) as Record<string, string> }),
    );
    expect(config).toMatchObject({
      host: "0.0.0.0",
      users: [{ name: "alice" }, { name: "bob" }],
      tokens: [{ role: "viewer" }],
    });
    expect(dashboard.spec.template.spec.containers[0].ports).toMatchObject([{ containerPort: config.port }]);
    expect(config).toMatchObject({
      documentsUrl: environmentOf(worker, manifests).env["DOCUMENTS_URL"],
      prefix: "bucketline",
    });
  });
});

/** The environment with its paths moved below a folder in which its files really are. */
async function inFiles({ env, files }: ReturnType<typeof environmentOf>): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-deploy-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const moved = Object.entries(env).map(
    ([name, value]) => [name, value in files ? join(folder, value) : value] as const,
  );
  return Object.fromEntries(moved);
}

test("every pod of the manifests is shut off but for ports that it has, to namespaces that are named", () => {
  const manifests = readManifests(join(import.meta.dirname, "../../deploy/kubernetes"));
  const policies = ofKind("NetworkPolicy", manifests).map(({ spec }) => spec);
  expect(
    policies.filter(({ podSelector, ingress }) => podSelector.matchLabels === undefined && ingress.length === 0),
  ).toHaveLength(1);
  for (const { spec } of ofKind("Deployment", manifests)) {
    const { labels } = spec.template.metadata;
    const own = policies.filter(
      ({ podSelector }) => podSelector.matchLabels?.["app.kubernetes.io/name"] === labels["app.kubernetes.io/name"],
    );
    expect(own).toHaveLength(1);
    const open = own.flatMap(({ ingress }) => ingress.flatMap(({ ports }) => ports.map(({ port }) => port)));
    expect(open).toEqual(spec.template.spec.containers[0].ports.map(({ name }) => name));
  }
});
