import { access, constants, readFile, stat } from "node:fs/promises";
import { didYouMean } from "../model/closest-name.ts";
import type { ProfilesFile } from "./profiles-file.ts";
import type { ProviderConfig, SecretRef } from "./provider-config.ts";

/** What is wrong with profiles that are well-formed: variables and files that are not there, sources that lead nowhere. */
export async function profileProblems(config: ProfilesFile, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const problems = await Promise.all(
    Object.entries(config.profiles).map(async ([name, { provider, customerKeys }]) => {
      const path = `profiles.${name}.provider`;
      return [
        ...sourceProblems(config, name, path),
        ...(await placeProblems(provider, path, env)),
        ...(await keyProblems(customerKeys, `profiles.${name}.customerKeys`, env)),
      ];
    }),
  );
  return [...problems.flat(), ...(await keyProblems(config.sealed?.customerKeys, "sealed.customerKeys", env))];
}

async function keyProblems(
  keys: Readonly<Record<string, SecretRef>> = {},
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const problems = Object.entries(keys).map(([name, ref]) => secretProblems(ref, `${path}.${name}`, env));
  return (await Promise.all(problems)).flat();
}

/** Variables and files that a provider names, looked for now rather than at the first job. */
async function placeProblems(
  provider: ProviderConfig,
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  if (provider.type === "assume-role")
    return typeof provider.source === "object" ? placeProblems(provider.source, `${path}.source`, env) : [];
  if (provider.type === "web-identity") return unreadable(provider.tokenFile, `${path}.tokenFile`);
  if (provider.type !== "static" && provider.type !== "session") return [];
  const refs = Object.entries(provider).filter((entry): entry is [string, SecretRef] => typeof entry[1] === "object");
  const problems = await Promise.all(refs.map(([field, ref]) => secretProblems(ref, `${path}.${field}`, env)));
  return problems.flat();
}

async function secretProblems(ref: SecretRef, path: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  if (ref.file !== undefined) return unreadable(ref.file, `${path}.file`);
  if (ref.env === undefined || env[ref.env]) return [];
  return [`${path}.env: expected the environment variable ${ref.env} to be set`];
}

async function unreadable(file: string, path: string): Promise<readonly string[]> {
  try {
    await access(file, constants.R_OK);
    const kind = await stat(file);
    if (kind.isDirectory()) return [`${path}: expected a readable file at ${file}, got a directory`];
    // Only a plain file can be read twice.
    const isEmpty = kind.isFile() && (await readFile(file, "utf8")).trim() === "";
    return isEmpty ? [`${path}: expected a readable file at ${file}, got an empty one`] : [];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable"; // node:fs throws nothing else
    return [`${path}: expected a readable file at ${file}, got ${code}`];
  }
}

/** The names of profiles that `provider` draws on, through providers written in place too. */
function sourceOf(provider: ProviderConfig): string | undefined {
  if (provider.type !== "assume-role") return undefined;
  return typeof provider.source === "object" ? sourceOf(provider.source) : provider.source;
}

function sourceProblems(config: ProfilesFile, name: string, path: string): readonly string[] {
  const seen = [name];
  for (let at = name; ;) {
    const profile = config.profiles[at];
    const source = profile === undefined ? undefined : sourceOf(profile.provider);
    if (source === undefined) return [];
    if (!Object.hasOwn(config.profiles, source)) {
      // Told once, at the profile that names it.
      if (at !== name) return [];
      return [
        `${path}.source: expected a profile of this file, got ${source}${didYouMean(source, Object.keys(config.profiles))}`,
      ];
    }
    seen.push(source);
    if (source === name) return [`${path}.source: expected an end, got the circle ${seen.join(" -> ")}`];
    if (seen.indexOf(source) < seen.length - 1) return []; // a circle of others
    at = source;
  }
}
