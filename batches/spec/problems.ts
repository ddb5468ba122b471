import { headerSizeProblem } from "../../model/attributes/header-size.ts";
import type { CopiedAttributes } from "../../model/attributes/carried.ts";

/** What is asked of an item here. */
type Item = {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly size?: number | undefined;
  readonly destinationKey?: string | undefined;
};

/** A request as far as it is looked at here: its fields are parsed already. */
type Request = CopiedAttributes & {
  readonly credentials?: unknown;
  readonly source:
    | { readonly items: readonly Item[] }
    | { readonly manifest: object }
    | { readonly bucket: string; readonly prefix: string };
  readonly destination?:
    | {
        readonly bucket: string;
        readonly prefix?: string | undefined;
        readonly credentials?: unknown;
        readonly customerKey?: unknown;
      }
    | undefined;
  readonly filter?: Readonly<Record<string, unknown>> | undefined;
  readonly maxBytes?: number | undefined;
};
type Problem = { readonly path: (string | number)[]; readonly message: string };

/** What is wrong with a request beyond its single fields. */
export function* problems(spec: Request): Generator<Problem> {
  const { source, destination, filter, maxBytes } = spec;
  if (spec.encryption !== undefined && destination?.customerKey !== undefined)
    yield {
      path: ["destination", "customerKey"],
      message: "expected either encryption or a customer's key, which S3 takes one of",
    };
  const large = headerSizeProblem(spec);
  if (large !== undefined) yield { path: [large.field], message: large.message };
  if (filter !== undefined && !("bucket" in source && "prefix" in source)) {
    const unknown = (["minSize", "maxSize", "modifiedBefore", "modifiedAfter", "storageClasses"] as const).find(
      (name) => filter[name] !== undefined,
    );
    if (unknown !== undefined)
      yield {
        path: ["filter", unknown],
        message: "expected only include and exclude for items and manifests, which do not tell it",
      };
  }
  const unsized = "manifest" in source || ("items" in source && source.items.some(({ size }) => size === undefined));
  if (maxBytes !== undefined && unsized)
    yield {
      path: ["maxBytes"],
      message: "expected it for a prefix, or for items with a size each: else nobody knows the bytes",
    };
  if ("items" in source) yield* itemProblems(spec, source.items);
}

/** Two items that meet at one destination, or one that is written where another is read, depend on the order of work: refused. */
function* itemProblems(spec: Request, items: readonly Item[]): Generator<Problem> {
  const { destination } = spec;
  const sources = new Set(items.map(({ bucket, key, versionId }) => `${bucket}/${key}\n${versionId ?? ""}`));
  if (sources.size < items.length) yield { path: ["source", "items"], message: "expected every object once" };
  if (destination === undefined) return;
  const written = new Set<string>();
  for (const [index, item] of items.entries()) {
    const name = `${destination.bucket}/${itemDestination(destination, item)}`;
    if (written.has(name))
      yield {
        path: ["source", "items", index],
        message: `expected one object for each destination, two go to s3://${name}`,
      };
    written.add(name);
  }
  if (hasOneCredentials(spec)) yield* itemChains(spec, items);
}

type Chained = Pick<Request, "destination">;

/** Items that are written where another one is read, if both ends are one store. */
export function* itemChains({ destination }: Chained, items: readonly Item[]): Generator<Problem> {
  if (destination === undefined) return;
  const keys = new Set(items.map(({ bucket, key }) => `${bucket}/${key}`));
  for (const [index, item] of items.entries()) {
    const name = `${destination.bucket}/${itemDestination(destination, item)}`;
    if (name !== `${item.bucket}/${item.key}` && keys.has(name))
      yield {
        path: ["source", "items", index],
        message: `expected no destination that is itself a source, got s3://${name}`,
      };
  }
}

function itemDestination(destination: { readonly prefix?: string | undefined }, item: Item): string {
  return item.destinationKey ?? `${destination.prefix ?? ""}${item.key}`;
}

/** Whether both ends are reached with the same credentials, named or not. */
export function hasOneCredentials({
  credentials = "default",
  destination,
}: Pick<Request, "credentials" | "destination">): boolean {
  const theirs = destination?.credentials ?? credentials;
  return JSON.stringify(theirs) === JSON.stringify(credentials);
}
