import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const Labels = z.record(z.string(), z.string());
const Metadata = z.looseObject({ name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/) });
const Port = z.strictObject({ name: z.string().max(15), containerPort: z.int() });
const Named = z.strictObject({ name: z.string() });
const Probe = z.strictObject({
  httpGet: z.strictObject({
    path: z.string().startsWith("/"),
    port: z.string(),
    httpHeaders: z.array(z.strictObject({ name: z.string(), value: z.string() })).default([]),
  }),
  periodSeconds: z.int(),
  timeoutSeconds: z.int().default(1),
  failureThreshold: z.int().default(3),
});
const Container = z.strictObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  envFrom: z.array(z.strictObject({ configMapRef: Named })),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  ports: z.array(Port),
  startupProbe: Probe.optional(),
  livenessProbe: Probe,
  readinessProbe: Probe,
  resources: z.strictObject({ requests: Labels, limits: z.strictObject({ memory: z.string() }) }),
  // Each of these is a rule, so another value is an error.
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal("ALL")]) }),
  }),
  volumeMounts: z.array(
    z.strictObject({ name: z.string(), mountPath: z.string().startsWith("/"), readOnly: z.literal(true).optional() }),
  ),
});
const Volume = z.union([
  z.strictObject({ name: z.string(), configMap: Named }),
  z.strictObject({ name: z.string(), secret: z.strictObject({ secretName: z.string(), defaultMode: z.int() }) }),
  z.strictObject({ name: z.string(), emptyDir: z.strictObject({ sizeLimit: z.string() }) }),
]);
const PodSpec = z.strictObject({
  serviceAccountName: z.string(),
  automountServiceAccountToken: z.literal(false),
  enableServiceLinks: z.literal(false),
  terminationGracePeriodSeconds: z.int(),
  securityContext: z.looseObject({ runAsNonRoot: z.literal(true), runAsUser: z.int().min(1) }),
  containers: z.tuple([Container]),
  volumes: z.array(Volume),
  topologySpreadConstraints: z
    .array(z.looseObject({ labelSelector: z.strictObject({ matchLabels: Labels }) }))
    .default([]),
});
const Selector = z.strictObject({ matchLabels: Labels });
const kindOf = <Kind extends string, Rest extends z.ZodRawShape>(apiVersion: string, kind: Kind, rest: Rest) =>
  z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(kind), metadata: Metadata, ...rest });

/** The kinds that we use, with the fields that we use. */
const Manifest = z.discriminatedUnion("kind", [
  kindOf("v1", "ConfigMap", { data: Labels }),
  kindOf("v1", "Namespace", {}),
  kindOf("v1", "Secret", { stringData: Labels }),
  kindOf("v1", "ServiceAccount", { automountServiceAccountToken: z.literal(false) }),
  kindOf("v1", "Service", {
    spec: z.strictObject({
      selector: Labels,
      ports: z.array(z.strictObject({ name: z.string(), port: z.int(), targetPort: z.string() })),
    }),
  }),
  kindOf("apps/v1", "Deployment", {
    spec: z.strictObject({
      replicas: z.int(),
      strategy: z.looseObject({ type: z.literal("RollingUpdate") }).optional(),
      selector: Selector,
      template: z.strictObject({ metadata: z.strictObject({ labels: Labels }), spec: PodSpec }),
    }),
  }),
  kindOf("policy/v1", "PodDisruptionBudget", {
    spec: z.strictObject({ maxUnavailable: z.int(), selector: Selector }),
  }),
  kindOf("networking.k8s.io/v1", "NetworkPolicy", {
    spec: z.strictObject({
      podSelector: z.strictObject({ matchLabels: Labels.optional() }),
      policyTypes: z.tuple([z.literal("Ingress")]),
      ingress: z
        .array(
          z.strictObject({
            from: z.array(z.strictObject({ namespaceSelector: Selector })).min(1),
            ports: z.array(z.strictObject({ protocol: z.literal("TCP"), port: z.string() })).min(1),
          }),
        )
        .default([]),
    }),
  }),
  kindOf("keda.sh/v1alpha1", "ScaledObject", {
    spec: z.looseObject({
      scaleTargetRef: Named,
      minReplicaCount: z.int().min(1),
      triggers: z.array(
        z.strictObject({ type: z.literal("prometheus"), metadata: z.looseObject({ query: z.string() }) }),
      ),
    }),
  }),
  kindOf("monitoring.coreos.com/v1", "PodMonitor", {
    spec: z.strictObject({
      jobLabel: z.string(),
      selector: Selector,
      podMetricsEndpoints: z.array(z.looseObject({ port: z.string(), path: z.string() })),
    }),
  }),
]);
export type Manifest = z.output<typeof Manifest>;
export type Of<Kind extends Manifest["kind"]> = Extract<Manifest, { kind: Kind }>;

/** Reads every document of a YAML file; whatever the parser frowns at is an error. */
export function readYaml(file: string): readonly unknown[] {
  const documents = parseAllDocuments(readFileSync(file, "utf8"), { strict: true, uniqueKeys: true, version: "1.2" });
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw new Error(`${file}: ${problem.message}`);
    return document.toJS() as unknown;
  });
}

/** All manifests below a folder, checked field by field. */
export function readManifests(folder: string): readonly Manifest[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml") && !name.endsWith("kustomization.yaml"))
    .flatMap((name) =>
      readYaml(join(folder, name)).map((document) => {
        const { data, error } = Manifest.safeParse(document);
        if (error) throw new Error(`${name}: ${z.prettifyError(error)}`);
        return data;
      }),
    );
}

/** The manifests of one kind. */
export function ofKind<Kind extends Manifest["kind"]>(kind: Kind, manifests: readonly Manifest[]): readonly Of<Kind>[] {
  return manifests.filter((manifest): manifest is Of<Kind> => manifest.kind === kind);
}

/** Whether a selector takes something with these labels; an empty one takes nothing here. */
export function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(selector);
  return entries.length > 0 && entries.every(([name, value]) => labels[name] === value);
}

/** The environment of a Deployment's container, and the files that Secrets and ConfigMaps put into it, by path. */
export function environmentOf(deployment: Of<"Deployment">, manifests: readonly Manifest[]) {
  const { containers, volumes } = deployment.spec.template.spec;
  const [container] = containers;
  const env: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom)
    Object.assign(env, dataOf("ConfigMap", configMapRef.name, manifests));
  for (const { name, value } of container.env) env[name] = value;
  const files: Record<string, string> = {};
  for (const { name, mountPath } of container.volumeMounts) {
    const volume = volumes.find((one) => one.name === name);
    if (volume === undefined)
      throw new Error(`${deployment.metadata.name} mounts ${name}, of which there is no volume`);
    const data =
      "configMap" in volume
        ? dataOf("ConfigMap", volume.configMap.name, manifests)
        : "secret" in volume
          ? dataOf("Secret", volume.secret.secretName, manifests)
          : {};
    for (const [key, text] of Object.entries(data)) files[`${mountPath}/${key}`] = text;
  }
  return { env, files };
}

function dataOf(
  kind: "ConfigMap" | "Secret",
  name: string,
  manifests: readonly Manifest[],
): Readonly<Record<string, string>> {
  const found = ofKind(kind, manifests).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found.kind === "Secret" ? found.stringData : found.data;
}
