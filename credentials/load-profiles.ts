import type { AwsCredentialIdentityProvider } from "@smithy/types";
import type { Logger } from "pino";
import { ActivityError } from "../model/activity-error.ts";
import { didYouMean } from "../model/closest-name.ts";
import { type ConnectionDefaults, connectionDefaults, connectionOf, stsEndpointOf } from "./connection-defaults.ts";
import { customerKeysOf } from "./customer-keys.ts";
import { profileProblems } from "./profile-problems.ts";
import { type ProfilesFile, invalidProfiles, type ProfileSettings, readProfilesFile } from "./profiles-file.ts";
import { createProvider } from "./provider.ts";
import type { Profiles, ResolvedProfile } from "./resolved-profile.ts";
import { readSealKeys } from "./seal-keys.ts";
import { type SealedProfile, sealedOpener } from "./sealed.ts";

const DEFAULT_PROFILE = "default";

/** Without a file: AWS's default chain and the `AWS_*` variables. */
const WITHOUT_FILE: ProfilesFile = { profiles: { [DEFAULT_PROFILE]: { provider: { type: "chain" } } } };

export type LoadProfilesOptions = {
  /** The profiles file, `BUCKETLINE_PROFILES`. */
  readonly file?: string | undefined;
  /** The worker's environment: `AWS_*`, and the variables that profiles name. */
  readonly env: NodeJS.ProcessEnv;
  /** Absent: sealed credentials are refused. */
  readonly sealing?: { readonly keysFile: string } | undefined;
  /** Before `AWS_REGION` and `us-east-1`; bytes, default 256 MiB. */
  readonly defaults?:
    | { readonly region?: string | undefined; readonly multipartThreshold?: number | undefined }
    | undefined;
  /** Told of renewals that failed while the old credentials still hold. */
  readonly log?: Pick<Logger, "warn"> | undefined;
};

/**
 * Reads and checks the worker's profiles; no provider is asked yet. Throws `InvalidConfiguration` that lists every problem
 * with its path and quotes no secret.
 */
export async function loadProfiles(options: LoadProfilesOptions): Promise<Profiles> {
  const { file, env } = options;
  const { config, defaults, sealKeys, problems } = await readAll(options);
  const wrong = [...problems.environment, ...problems.profiles];
  if (wrong.length > 0) throw invalidProfiles(file, [...wrong, ...problems.sealKeys]);
  if (problems.sealKeys[0] !== undefined) throw new ActivityError("InvalidConfiguration", problems.sealKeys[0]);

  const profiles = resolveProfiles(config, defaults, options);
  const open =
    sealKeys === undefined ? refuseSealed : sealedOpener(sealKeys, sealedProfile(config.sealed ?? {}, defaults));
  const names = [...profiles.keys()];
  const resolve: Profiles["resolve"] = async (credentials = DEFAULT_PROFILE) => {
    if (typeof credentials === "object") return open(credentials.sealed);
    const profile = profiles.get(credentials);
    if (profile === undefined) throw unknownProfile(credentials, names);
    return profile;
  };
  return { names, resolve, customerKey: customerKeysOf({ env, resolve, sealKeys }) };
}

/** What is wrong with them, each by the part of the configuration that it stands in; and the names of those that could be read. */
export async function findProfileProblems(options: LoadProfilesOptions) {
  const { config, problems } = await readAll(options);
  return { ...problems, names: Object.keys(config.profiles) };
}

/** Whatever can be read, and all that is wrong: one mistake hides no other. */
async function readAll({ file, env, sealing, defaults: given = {} }: LoadProfilesOptions) {
  const { defaults, problems: environment } = connectionDefaults(env, given);
  const read = file === undefined ? { config: WITHOUT_FILE, problems: [] } : await readProfilesFile(file);
  const profiles = [...read.problems, ...(await profileProblems(read.config, env))];
  const sealed = sealing === undefined ? {} : await readSealKeys(sealing.keysFile);
  const problems = { environment, profiles, sealKeys: sealed.problem === undefined ? [] : [sealed.problem] };
  return { config: read.config, defaults, sealKeys: sealed.keys, problems };
}

function resolveProfiles(
  config: ProfilesFile,
  defaults: ConnectionDefaults,
  { env, log }: LoadProfilesOptions,
): ReadonlyMap<string, ResolvedProfile> {
  const providers = new Map<string, AwsCredentialIdentityProvider>();
  /** One provider a profile, also where others assume roles with it. profileProblems has refused circles and unknown names. */
  const providerOf = (name: string): AwsCredentialIdentityProvider => {
    const made = providers.get(name);
    if (made !== undefined) return made;
    const settings = config.profiles[name];
    if (settings === undefined) throw unknownProfile(name, Object.keys(config.profiles));
    const { provider, region = defaults.region } = settings;
    const stsEndpoint = stsEndpointOf(settings, defaults);
    const onRenewalFailed = (error: unknown) => log?.warn({ profile: name, err: error }, "credentials not renewed yet");
    const created = createProvider(provider, { profile: name, region, stsEndpoint, env, providerOf, onRenewalFailed });
    providers.set(name, created);
    return created;
  };
  return new Map(
    Object.entries(config.profiles).map(([name, settings]) => [
      name,
      {
        connection: connectionOf(name, providerOf(name), { settings, defaults }),
        provider: settings.provider.type,
        ...(settings.allow !== undefined && { policy: settings.allow }),
        ...(settings.customerKeys !== undefined && { customerKeys: settings.customerKeys }),
      },
    ]),
  );
}

/** The `sealed` section gives everything but the identity; an app may say its region, never an endpoint. */
function sealedProfile(section: ProfileSettings, defaults: ConnectionDefaults): SealedProfile {
  // Whoever holds the public key seals what they like, so that what is not named is not allowed.
  const policy = section.allow ?? [];
  return ({ name, region, credentials }) => {
    const settings = { ...section, ...(region !== undefined && { region }) };
    return {
      connection: connectionOf(name, credentials, { settings, defaults }),
      policy,
      ...(section.customerKeys !== undefined && { customerKeys: section.customerKeys }),
    };
  };
}

function refuseSealed(): Promise<never> {
  return Promise.reject(
    new ActivityError(
      "InvalidSealedCredentials",
      "this worker opens no sealed credentials; expected BUCKETLINE_SEAL_KEYS_FILE in its configuration",
      { field: "credentials" },
    ),
  );
}

function unknownProfile(name: string, names: readonly string[]): ActivityError {
  const known = names.length > 10 ? `one of its ${names.length} profiles` : names.join(", ");
  return new ActivityError(
    "UnknownProfile",
    `no profile ${name} in this worker's configuration; expected ${known}${didYouMean(name, names)}`,
    { field: "credentials" },
  );
}
