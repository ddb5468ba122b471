import { Readable } from "node:stream";
import type { ObjectDetails } from "../../model/entities.ts";
import { copy } from "../requests/copy.ts";
import { headFacts } from "../requests/head.ts";
import { put } from "../requests/put.ts";
import { tags, tagsIfAny } from "../requests/tags.ts";
import type { Overrides } from "../interface.ts";
import { type Finding, type Ground, ignored, works } from "./answer.ts";

/** An attribute, a value that is not everyday's, and what is replaced beside it when its object is changed in place. */
type Attribute = { readonly said: Overrides; readonly beside: Overrides };

const beside = { metadata: { changed: "yes" } };

const attributes = {
  "content-type": { said: { contentType: 'text/x-odd; charset="utf-8"' }, beside },
  "content-encoding": { said: { contentEncoding: "gzip" }, beside },
  "content-disposition": { said: { contentDisposition: 'attachment; filename="ä€.txt"' }, beside },
  "content-language": { said: { contentLanguage: "de, en" }, beside },
  "cache-control": { said: { cacheControl: "no-store, max-age=0" }, beside },
  expires: { said: { expires: "0" }, beside },
  "website-redirect": { said: { websiteRedirect: "/elsewhere?a=b" }, beside },
  metadata: { said: { metadata: { by: "Zoë €", plain: "a  b" } }, beside: { cacheControl: "no-store" } },
  "tags-carried": { said: { tags: { "a b": "ü=" } }, beside },
} as const satisfies Record<string, Attribute>;

type AttributeName = keyof typeof attributes;

/** Each writes an object with one attribute, copies it whole, in parts and onto itself, and looks whether it is there each time. */
export const attributeProbes = Object.fromEntries(
  Object.entries(attributes).map(([name, attribute]) => [name, (ground: Ground) => follow(ground, name, attribute)]),
) as Record<AttributeName, (ground: Ground) => Promise<Finding>>; // of a literal

async function follow(ground: Ground, name: string, { said, beside: replaced }: Attribute): Promise<Finding> {
  const { store, bucket, prefix, call } = ground;
  const key = (way: string): string => `${prefix}attribute-${name}-${way}`;
  const body = `content of ${name}`;
  const upload = { bucket, key: key("put"), body: Readable.from([Buffer.from(body)]), size: Buffer.byteLength(body) };
  await put(store, { ...upload, attributes: said }, call);
  if (!(await isKept(ground, key("put"), said))) return ignored("not kept when it is written");
  const {
    etag,
    size,
    lastModified,
    websiteRedirect = "",
  } = (await headFacts(store, { object: { bucket, key: key("put") } }, call)).details;
  const source = { bucket, key: key("put"), etag, size, lastModified, websiteRedirect };
  const inParts = { ...store, connection: { ...store.connection, multipartThreshold: 0 } };
  const ways = [
    ["copied", () => copy(store, { source, bucket, key: key("copied") }, call)],
    ["in parts", () => copy(inParts, { source, bucket, key: key("in parts") }, call)],
    ["put", () => copy(store, { source, bucket, key: key("put"), overrides: replaced }, call)],
  ] as const;
  const lost: string[] = [];
  for (const [way, run] of ways) {
    await run();
    if (!(await isKept(ground, key(way), said))) lost.push(way === "put" ? "changed in place" : way);
  }
  return lost.length === 0
    ? works("written, copied, in parts and in place")
    : ignored(`lost when ${lost.join(" and ")}`);
}

async function isKept({ store, bucket, call }: Ground, key: string, said: Overrides): Promise<boolean> {
  const object = { bucket, key };
  const { details } = await headFacts(store, { object }, call);
  const found: ObjectDetails & { tags?: Readonly<Record<string, string>> } = { ...details };
  if (said.tags !== undefined) found.tags = await tagsIfAny(() => tags(store, object, call));
  const values = new Map<string, unknown>(Object.entries(found));
  return Object.entries(said).every(([field, value]: [string, unknown]) => {
    const got = values.get(field);
    return typeof value === "object" && value !== null ? holds(got, value) : got === value;
  });
}

function holds(found: unknown, said: object): boolean {
  if (typeof found !== "object" || found === null) return false;
  const values = new Map<string, unknown>(Object.entries(found));
  return Object.entries(said).every(([name, value]) => values.get(name) === value);
}
