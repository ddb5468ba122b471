import { openDocumentStore } from "../../documents/open.ts";
import { advise, fine, type Finding, messageOf, problem } from "./finding.ts";
import { checkRedis } from "./redis.ts";
import { checkStore } from "./store.ts";

export type CheckOptions = {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly profile?: string;
  readonly bucket?: string;
  /** Measures all that stores differ in, and prints the profile that fits. */
  readonly probe?: true;
};

type Inspect = typeof import("../../worker/inspect.ts");
type Config = Awaited<ReturnType<Inspect["readWorkerConfig"]>>;
type Profiles = Awaited<ReturnType<Inspect["loadProfiles"]>>;

/** How long one answer may take. */
const TIMEOUT_MS = 20_000;

/** Looks at everything that a worker needs, one after the other; what fails does not end it. */
export async function* runCheck(options: CheckOptions): AsyncGenerator<Finding> {
  const inspect = await import("../../worker/inspect.ts");
  let config: Config;
  try {
    config = await inspect.readWorkerConfig(options.env, { cwd: options.cwd, besideWorker: true });
  } catch (error) {
    yield problem("configuration", messageOf(error), "see docs/configuration.md");
    const { REDIS_URL: redis, BUCKETLINE_PREFIX: prefix } = inspect.readVariables(options.env, options).values;
    if (redis !== undefined && prefix !== undefined) yield* checkRedis(redis, prefix);
    return;
  }
  yield fine("configuration", `prefix ${config.prefix}`);
  yield* checkRedis(config.redis, config.prefix);
  const profiles = await inspect.loadProfiles(config.profiles);
  yield* checkDocuments(config, profiles, options.signal);
  for (const { variable, path } of await inspect.openToAll(config))
    yield advise(variable, `everybody on this machine may change ${path}`, `take that away: chmod o-w ${path}`);
  yield* checkProfiles(inspect, profiles, options);
}

async function* checkDocuments(config: Config, profiles: Profiles, signal: AbortSignal): AsyncGenerator<Finding> {
  const about = "document store";
  try {
    const store = await openDocumentStore(config.documentsUrl, {
      s3: async (name) => (await profiles.resolve(name)).connection,
    });
    try {
      await probeDocuments(store, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
    } finally {
      await store.close();
    }
    yield fine(about, `${store.location}: written, read and deleted`);
    if (config.documentsUrl.startsWith("file:"))
      yield advise(
        `${about} on this machine`,
        "only apps and workers on this machine can share it",
        "for several machines set DOCUMENTS_URL=s3://bucket/prefix?profile=name for apps and workers alike",
      );
  } catch (error) {
    signal.throwIfAborted();
    yield problem(about, messageOf(error), "check DOCUMENTS_URL, and what the worker's user or profile may do there");
  }
}

async function probeDocuments(
  store: Awaited<ReturnType<typeof openDocumentStore>>,
  signal: AbortSignal,
): Promise<void> {
  const content = "written by bucketline check";
  const pointer = await store.write(content, { name: "bucketline-check", ttl: 3600, signal });
  try {
    let read = "";
    for await (const chunk of await store.read(pointer, { keep: true, signal })) read += String(chunk);
    if (read !== content) throw new Error(`expected what was written, read ${read.length} other characters`);
  } finally {
    await store.delete(pointer.id);
  }
}

async function* checkProfiles(inspect: Inspect, profiles: Profiles, options: CheckOptions): AsyncGenerator<Finding> {
  const { profile, bucket, probe, signal } = options;
  if (profile !== undefined && !profiles.names.includes(profile)) {
    yield problem(
      `profile ${profile}`,
      `there is none; there are: ${profiles.names.join(", ")}`,
      "see docs/credentials.md",
    );
    return;
  }
  // A bucket is one store's: it is looked at with one profile.
  const bucketProfile = profile ?? "default";
  if (bucket !== undefined && !profiles.names.includes(bucketProfile))
    yield problem(`bucket ${bucket}`, "there is no profile default", "say with --profile which one reaches it");
  for (const name of profile === undefined ? profiles.names : [profile]) {
    const { connection } = await profiles.resolve(name);
    const about = `profile ${name}`;
    const s3 = inspect.createS3(connection);
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) };
    try {
      const { arn } = await s3.callerIdentity(call);
      yield fine(about, `${arn ?? "credentials accepted"} at ${connection.endpoint ?? `AWS in ${connection.region}`}`);
      if (bucket !== undefined && name === bucketProfile)
        yield* checkStore(inspect, connection, { bucket, probe: probe === true, signal });
    } catch (error) {
      signal.throwIfAborted();
      yield problem(
        about,
        messageOf(error),
        "check the profile's provider, region and endpoint; see docs/credentials.md",
      );
    } finally {
      await s3.close();
    }
  }
}
