import { findProfileProblems } from "../../credentials/load-profiles.ts";
import { locationOf } from "../../documents/location.ts";
import { didYouMean } from "../../model/closest-name.ts";
import { findHealthProblem } from "../monitoring/health.ts";
import { invalidEnvironment } from "../../model/invalid-environment.ts";
import { parseWorkerConfig, profilesOptions, readVariables, type WorkerConfig } from "./parse.ts";
import type { Variables } from "./variables.ts";

type Options = {
  readonly cwd?: string;
  /** A worker with this configuration may be running here: the port of its probes is taken then. */
  readonly besideWorker?: true;
};

/**
 * As {@link parseWorkerConfig}, and with what the variables lead to: profiles, seal keys, the address of the probes. All that is wrong
 * anywhere is in one `InvalidConfiguration`, a line for each, with the variable in front.
 */
export async function readWorkerConfig(env: NodeJS.ProcessEnv, options: Options = {}): Promise<WorkerConfig> {
  const { values, problems } = readVariables(env, options);
  const all = [...problems, ...(await profileProblems(values, env)), ...(await healthProblems(values, options))];
  if (all.length > 0) throw invalidEnvironment(all);
  return parseWorkerConfig(env, options);
}

async function profileProblems(values: Partial<Variables>, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const { environment, profiles, sealKeys, names } = await findProfileProblems(profilesOptions(values, env));
  return [
    ...environment,
    ...profiles.map((problem) => `BUCKETLINE_PROFILES: ${problem}`),
    ...sealKeys.map((problem) => `BUCKETLINE_SEAL_KEYS_FILE: ${problem}`),
    ...(profiles.length > 0 ? [] : documentsProblems(values.DOCUMENTS_URL, names)),
  ];
}

function documentsProblems(url: string | undefined, names: readonly string[]): readonly string[] {
  const location = url === undefined ? undefined : locationOf(url);
  if (location?.scheme !== "s3") return [];
  const { profile = "default" } = location;
  if (names.includes(profile)) return [];
  return [
    `DOCUMENTS_URL: expected one of the profiles ${names.join(", ")}, got ${profile}${didYouMean(profile, names)}`,
  ];
}

async function healthProblems(values: Partial<Variables>, { besideWorker }: Options): Promise<readonly string[]> {
  const { BUCKETLINE_HEALTH_HOST: host, BUCKETLINE_HEALTH_PORT: port } = values;
  if (host === undefined || port === undefined) return [];
  const problem = await findHealthProblem({ host, port: besideWorker ? 0 : port });
  return problem === undefined ? [] : [problem];
}
