// Pins the images of docker-compose.yml, Dockerfile and deploy/ to what their tags name now, by the digests that their registries tell. With `--check` it
// only says which are not pinned, or to something else. Runs without node_modules.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const TIMEOUT_MS = 30_000;
/** A list of manifests has some kilobytes. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Lists of all platforms first: one digest then holds wherever it is pulled. https://distribution.github.io/distribution/spec/manifest-v2-2/ */
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** `image: name:tag` and `FROM name:tag`, pinned or not. Images without a tag are ours, and built. */
const LINE =
  /^(\s*(?:-\s+)?(?:image:|FROM)\s+)(["']?)([a-z0-9][a-z0-9._/:-]*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})(@sha256:[0-9a-f]{64})?(?=\2(?:\s|$))/gm;

/**
 * Finds the images in the files of a folder, asks for the digest of each tag, and writes it behind the tag. Nothing is written where one of them cannot be told.
 *
 * @param {{ root: string, registry?: string, check?: boolean }} options `registry`: asked for every image, in place of each one's own
 * @returns {Promise<{ image: string, digest: string, files: string[], changed: boolean }[]>}
 */
export async function pinImages({ root, registry, check = false }) {
  const files = filesOf(root).map((path) => ({ path, text: readFileSync(path, "utf8") }));
  const images = new Map();
  for (const { path, text } of files)
    for (const [, , , image, digest = ""] of text.matchAll(LINE)) {
      const known = images.get(image) ?? { files: new Set(), digests: new Set() };
      known.files.add(path);
      known.digests.add(digest);
      images.set(image, known);
    }
  const pinned = [];
  for (const [image, { files: where, digests }] of images) {
    const digest = await digestOf(image, registry);
    pinned.push({ image, digest, files: [...where], changed: digests.size > 1 || !digests.has(`@${digest}`) });
  }
  if (check) return pinned;
  const digestFor = new Map(pinned.map(({ image, digest }) => [image, digest]));
  for (const { path, text } of files) {
    const now = text.replace(LINE, (_all, before, quote, image) => `${before}${quote}${image}@${digestFor.get(image)}`);
    if (now !== text) writeFileSync(path, now);
  }
  return pinned;
}

function filesOf(root) {
  const deployed = readdirSync(join(root, "deploy"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return [join(root, "docker-compose.yml"), join(root, "Dockerfile"), ...deployed.toSorted()];
}

/** The SHA-256 of the very bytes that a registry sends: what it says of them is compared with it. */
async function digestOf(image, registry) {
  const { at, name, tag } = placeOf(image, registry);
  const url = `${at}/v2/${name}/manifests/${tag}`;
  let answer = await ask(url, { accept: ACCEPT }, image);
  if (answer.status === 401) {
    const token = await tokenFor(answer.headers.get("www-authenticate") ?? "", name, image);
    answer = await ask(url, { accept: ACCEPT, authorization: `Bearer ${token}` }, image);
  }
  if (answer.status !== 200) throw new Error(`${image}: expected its manifest from ${at}, got ${answer.status}`);
  const bytes = await bytesOf(answer, image);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const said = answer.headers.get("docker-content-digest");
  if (said !== null && said !== digest) throw new Error(`${image}: expected the manifest of ${said}, got ${digest}`);
  return digest;
}

/** `redis:8` is `library/redis` of Docker Hub; what has a dot, a port or is `localhost` before its first slash names a registry. */
function placeOf(image, registry) {
  const colon = image.lastIndexOf(":");
  const [path, tag] = [image.slice(0, colon), image.slice(colon + 1)];
  const [first = "", ...rest] = path.split("/");
  const named = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const name = named ? rest.join("/") : rest.length > 0 ? path : `library/${path}`;
  const host = !named || first === "docker.io" ? "registry-1.docker.io" : first;
  return { at: registry?.replace(/\/$/, "") ?? `https://${host}`, name, tag };
}

/** A registry says where it gives tokens to strangers. https://distribution.github.io/distribution/spec/auth/token/ */
async function tokenFor(challenge, name, image) {
  const field = (wanted) => new RegExp(`\\b${wanted}="([^"]*)"`, "i").exec(challenge)?.[1];
  const realm = field("realm") ?? "";
  if (!/^Bearer /i.test(challenge) || !/^https:\/\/|^http:\/\/(?:127\.0\.0\.1|localhost)[:/]/.test(realm))
    throw new Error(
      `${image}: expected a registry that gives tokens over https, got ${JSON.stringify(challenge.slice(0, 200))}`,
    );
  const url = new URL(realm);
  const service = field("service");
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", `repository:${name}:pull`);
  const answer = await ask(url, {}, image);
  const { token, access_token: other } =
    answer.status === 200 ? JSON.parse((await bytesOf(answer, image)).toString()) : {};
  if (typeof (token ?? other) !== "string")
    throw new Error(`${image}: expected a token from ${url.origin}, got ${answer.status}`);
  return token ?? other;
}

async function ask(url, headers, image) {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const cause = error.cause?.code ?? error.cause?.message ?? error.message;
    throw new Error(`${image}: ${new URL(url).host} does not answer (${cause})`, { cause: error });
  }
}

async function bytesOf(answer, image) {
  const pieces = [];
  let length = 0;
  for await (const piece of answer.body ?? []) {
    length += piece.length;
    if (length > MAX_BYTES) throw new Error(`${image}: expected at most ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function main() {
  const check = process.argv.includes("--check");
  const root = join(import.meta.dirname, "..");
  const pinned = await pinImages({ root, check, registry: process.env["IMAGE_REGISTRY"] });
  for (const { image, digest, changed } of pinned)
    console.log(`${changed ? (check ? "not pinned" : "pinned    ") : "as it was "} ${image}@${digest}`);
  if (check && pinned.some(({ changed }) => changed)) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  main().catch((error) => {
    console.error(`nothing was pinned: ${error.message}`);
    process.exitCode = 2;
  });
