/** @import { BatchRequest } from "../../../answers.ts" */

/**
 * What is written in the form, by the names of its fields; what was not filled in is empty or missing.
 * @typedef {Readonly<Record<string, string | undefined>>} Written
 */
/** @typedef {{ field: string, message: string }} FieldError */

/**
 * The request that a form stands for, with nothing in it that was left empty, and every field that is missing or cannot be read.
 * @param {Written} written
 * @param {{ copies: boolean, manifest?: unknown }} given whether the operation has a destination, and the document that holds the manifest
 * @returns {{ spec: Record<string, unknown>, errors: readonly FieldError[] }}
 */
export function readRequest(written, { copies, manifest }) {
  /** @type {FieldError[]} */
  const errors = [];
  const read = createReader(written, errors);
  const operation = written["operation"] ?? "copy";
  const kind = written["source.kind"] ?? "prefix";
  const ratio = read.share("failureThreshold.ratio");
  const spec = compact({
    operation,
    credentials: read.text("credentials"),
    source: readSource(read, kind, manifest),
    destination: copies
      ? compact({ bucket: read.needed("destination.bucket"), prefix: read.text("destination.prefix") })
      : undefined,
    filter: readFilter(read, kind === "prefix"),
    onConflict: copies ? read.text("onConflict") : undefined,
    archived: copies ? read.text("archived") : undefined,
    maxObjects: read.number("maxObjects"),
    maxObjectsPerSecond: read.number("maxObjectsPerSecond"),
    priority: read.number("priority"),
    failureThreshold: ratio === undefined ? undefined : { ratio },
    report: read.text("report"),
    label: read.text("label"),
  });
  return { spec, errors };
}

/** @typedef {ReturnType<typeof createReader>} Reader */

/** @param {Written} written @param {FieldError[]} errors */
function createReader(written, errors) {
  const text = (/** @type {string} */ name) => written[name]?.trim() || undefined;
  const wrong = (/** @type {string} */ field, /** @type {string} */ message) => {
    errors.push({ field, message });
    return undefined;
  };
  const parse = (/** @type {string} */ name, /** @type {string} */ given, /** @type {string} */ expected) => {
    const value = Number(given.replaceAll(/[,_ ]/g, ""));
    return Number.isFinite(value) ? value : wrong(name, `expected ${expected}, got “${written[name]?.trim()}”`);
  };
  return {
    text,
    raw: (/** @type {string} */ name) => written[name] ?? "",
    needed: (/** @type {string} */ name) => text(name) ?? wrong(name, "This is needed."),
    number(/** @type {string} */ name) {
      const given = text(name);
      return given === undefined ? undefined : parse(name, given, "a number such as 1,000");
    },
    /** A share of one, also as a percentage. */
    share(/** @type {string} */ name) {
      const given = text(name);
      if (given === undefined) return undefined;
      const value = parse(name, given.replace(/%$/, ""), "a share such as 0.5 or 50%");
      return value !== undefined && given.endsWith("%") ? value / 100 : value;
    },
    instant(/** @type {string} */ name) {
      const given = text(name);
      if (given === undefined) return undefined;
      const at = new Date(given);
      return Number.isNaN(at.getTime()) ? wrong(name, "expected a date and a time") : at.toISOString();
    },
    globs: (/** @type {string} */ name) => (text(name) === undefined ? undefined : splitGlobs(text(name) ?? "")),
  };
}

/** @param {Reader} read @param {string} kind @param {unknown} manifest */
function readSource(read, kind, manifest) {
  if (kind === "prefix") return compact({ bucket: read.needed("source.bucket"), prefix: read.raw("source.prefix") });
  if (kind === "manifest") {
    if (manifest === undefined) read.needed("source.manifest");
    return compact({ manifest, format: read.text("source.format"), bucket: read.text("source.bucket") });
  }
  const bucket = read.needed("source.bucket");
  read.needed("source.items");
  const keys = read
    .raw("source.items")
    .split(/\r?\n/)
    .filter((key) => key !== "");
  return { items: keys.map((key) => ({ bucket, key })) };
}

/** @param {Reader} read @param {boolean} listed only what is listed has a size and a date */
function readFilter(read, listed) {
  const filter = compact({
    include: read.globs("filter.include"),
    exclude: read.globs("filter.exclude"),
    minSize: listed ? read.number("filter.minSize") : undefined,
    maxSize: listed ? read.number("filter.maxSize") : undefined,
    modifiedAfter: listed ? read.instant("filter.modifiedAfter") : undefined,
    modifiedBefore: listed ? read.instant("filter.modifiedBefore") : undefined,
  });
  return Object.keys(filter).length > 0 ? filter : undefined;
}

/** Globs that commas separate. A comma inside braces belongs to its glob: `*.{jpg,png}`. @param {string} text */
function splitGlobs(text) {
  const globs = [""];
  let depth = 0;
  for (const char of text) {
    if (char === "{") depth += 1;
    if (char === "}") depth = Math.max(0, depth - 1);
    if (char === "," && depth === 0) globs.push("");
    else globs[globs.length - 1] += char;
  }
  return globs.map((glob) => glob.trim()).filter(Boolean);
}

/** @param {Record<string, unknown>} object */
function compact(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/**
 * What to write into a form so that it asks for the same again. A manifest is a file, which has to be chosen anew.
 * @param {BatchRequest & { operation: string }} spec
 * @returns {Record<string, string>}
 */
export function writtenFrom(spec) {
  const { source, destination } = spec;
  const filter = /** @type {Record<string, unknown>} */ (spec["filter"] ?? {});
  const threshold = /** @type {{ ratio?: number }} */ (spec["failureThreshold"] ?? {});
  const all = {
    operation: spec.operation,
    "source.kind": source.prefix !== undefined ? "prefix" : source.items ? "items" : "manifest",
    "source.bucket": source.bucket ?? source.items?.[0]?.bucket,
    "source.prefix": source.prefix,
    "source.items": source.items?.map(({ key }) => key).join("\n"),
    "source.format": source.format,
    "destination.bucket": destination?.bucket,
    "destination.prefix": destination?.prefix,
    "filter.include": list(filter["include"]),
    "filter.exclude": list(filter["exclude"]),
    "filter.minSize": filter["minSize"],
    "filter.maxSize": filter["maxSize"],
    "filter.modifiedAfter": localTime(filter["modifiedAfter"]),
    "filter.modifiedBefore": localTime(filter["modifiedBefore"]),
    "failureThreshold.ratio": threshold.ratio,
    credentials: typeof spec["credentials"] === "string" ? spec["credentials"] : undefined,
    label: spec.label,
    onConflict: spec["onConflict"],
    archived: spec["archived"],
    maxObjects: spec["maxObjects"],
    maxObjectsPerSecond: spec.maxObjectsPerSecond,
    priority: spec["priority"],
    report: spec["report"],
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" ? [[name, `${value}`]] : [],
    ),
  );
}

/** @param {unknown} globs */
const list = (globs) => (Array.isArray(globs) ? globs.join(", ") : undefined);

/** As a field for a date and a time takes it. @param {unknown} at */
function localTime(at) {
  if (typeof at !== "string") return undefined;
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
