/** The campaign against Redis: real servers in a group, of which the one that holds the queues is taken away in mid batch, again and again. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startDashboardProcess } from "../../../cli/processes/dashboard.ts";
import { startWorkerProcess } from "../../../cli/processes/worker.ts";
import { createProducer } from "../../../producer/index.ts";
import { type SandboxProcess, startSandboxProcess } from "../../../sandbox/index.ts";
import { type Group, startClusterGroup, startSentinelGroup } from "./groups.ts";
import { type Round, runRound } from "./round.ts";
import { freePort } from "./server.ts";
import { PREFIX, type Stage, TROUBLES } from "./stage.ts";
import { childEnv } from "../../child-env.ts";

export type RedisCampaign = {
  /** Of each trouble, in each group. */
  readonly rounds: number;
  readonly objects: number;
  /** Matches names such as `cluster kill`; default: all. */
  readonly filter?: string | undefined;
  readonly print?: (line: string) => void;
};

/** Sentinel has a second replica to wait for while the master is away; a master of the cluster has one, which takes its place. */
const WAIT_REPLICAS = { sentinel: "1", cluster: "0" } as const;

/** Answers how many rounds there were, and in how many a promise was broken. */
export async function runRedisFaults(campaign: RedisCampaign): Promise<{ cases: number; failures: number }> {
  const { rounds, objects, filter = "", print = console.log } = campaign;
  const total = { cases: 0, failures: 0 };
  for (const kind of ["sentinel", "cluster"] as const) {
    const troubles = TROUBLES.filter(
      (trouble) => (kind === "cluster" || trouble !== "migrate") && new RegExp(filter).test(`${kind} ${trouble}`),
    );
    if (troubles.length === 0) continue;
    await using stage = await setStage(kind);
    for (const trouble of troubles) {
      const done: Round[] = [];
      for (let n = 1; n <= rounds; n++) {
        const round = await runRound(stage, { trouble, objects, name: `${trouble}-${n}` }).catch((error: unknown) => ({
          problems: [
            `the round itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          ],
          figures: undefined,
        }));
        done.push(round);
        print(`${kind} ${trouble} ${n}: ${round.figures === undefined ? "no figures" : describe(round.figures)}`);
        for (const problem of round.problems) print(`FAILED ${kind} ${trouble} ${n}: ${problem}`);
      }
      total.cases += done.length;
      total.failures += done.filter(({ problems }) => problems.length > 0).length;
      print(`${kind} ${trouble}: ${summary(done)}`);
    }
  }
  return total;
}

async function setStage(kind: Group["kind"]): Promise<Stage & AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "bucketline-redis-faults-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const group = starting.use(kind === "sentinel" ? await startSentinelGroup() : await startClusterGroup(PREFIX));
  const sandbox = starting.use(await startSandboxProcess());
  const documents = pathToFileURL(join(folder, "documents")).href;
  const profiles = join(folder, "profiles.json");
  await writeFile(profiles, JSON.stringify({ profiles: { default: profileOf(sandbox) } }));
  const env = {
    ...childEnv(),
    REDIS_URL: group.url,
    BUCKETLINE_PREFIX: PREFIX,
    BUCKETLINE_PROFILES: profiles,
    DOCUMENTS_URL: documents,
    S3_KEY: sandbox.credentials.accessKeyId,
    S3_SECRET: sandbox.credentials.secretAccessKey,
  };
  const crashes: string[] = [];
  const healthPorts = [await freePort(), await freePort()];
  for (const port of healthPorts) {
    const worker = await startWorkerProcess({
      ...env,
      BUCKETLINE_HEALTH_PORT: String(port),
      BUCKETLINE_REDIS_WAIT_REPLICAS: WAIT_REPLICAS[kind],
    });
    starting.defer(() => worker.kill());
    void worker.crashed.then((lines) => crashes.push(`a worker ended: ${lines.join("\n")}`));
  }
  const dashboard = await startDashboardProcess({ ...env, BUCKETLINE_DASHBOARD_PORT: "0" });
  starting.defer(() => dashboard.kill());
  void dashboard.crashed.then((lines) => crashes.push(`the dashboard ended: ${lines.join("\n")}`));
  const producer = createProducer({ redis: group.url, prefix: PREFIX, documents, redisTimeout: 60_000 });
  starting.defer(() => producer.close());
  const owned = starting.move();
  return {
    group,
    sandbox,
    producer,
    dashboardUrl: dashboard.url,
    healthPorts,
    crashes,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function profileOf({ endpoint }: SandboxProcess) {
  return {
    provider: { type: "static", accessKeyId: { env: "S3_KEY" }, secretAccessKey: { env: "S3_SECRET" } },
    endpoint,
    region: "us-east-1",
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
  };
}

type Figures = NonNullable<Round["figures"]>;

function describe(figures: Figures): string {
  const back = Object.entries(figures.backAfterMs).map(([who, ms]) => `${who} ${seconds(ms)}`);
  return `${figures.objects} objects in ${seconds(figures.tookMs)}; took over after ${seconds(figures.takenOverAfterMs)}; back after that: ${back.join(", ")}`;
}

function summary(rounds: readonly Round[]): string {
  const figures = rounds.flatMap((round) => round.figures ?? []);
  const worst = (read: (figures: Figures) => number) => seconds(Math.max(0, ...figures.map(read)));
  const failures = rounds.filter(({ problems }) => problems.length > 0).length;
  return (
    `${rounds.length} rounds, ${figures.reduce((sum, { objects }) => sum + objects, 0)} objects, ${failures} failures; at worst taken over after ` +
    `${worst(({ takenOverAfterMs }) => takenOverAfterMs)}, all back ${worst(({ backAfterMs }) => Math.max(...Object.values(backAfterMs)))} later`
  );
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
