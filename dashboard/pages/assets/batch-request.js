import { ApiError } from "./api.js";

/** The request, with nothing in it that was left empty. */
export async function readSpec(form) {
  const text = (name) => form.elements[name].value.trim() || undefined;
  const number = (name) => (text(name) === undefined ? undefined : Number(text(name).replaceAll(",", "")));
  const instant = (name) => (text(name) === undefined ? undefined : new Date(text(name)).toISOString());
  const globs = (name) => (text(name) === undefined ? undefined : splitGlobs(text(name)));
  const operation = form.elements.operation.value;
  const kind = form.elements["source.kind"].value;
  const byPrefix = kind === "prefix";
  const filter = compact({
    include: globs("filter.include"),
    exclude: globs("filter.exclude"),
    ...(byPrefix && {
      minSize: number("filter.minSize"),
      maxSize: number("filter.maxSize"),
      modifiedAfter: instant("filter.modifiedAfter"),
      modifiedBefore: instant("filter.modifiedBefore"),
    }),
  });
  const ratio = number("failureThreshold.ratio");
  return compact({
    operation,
    credentials: text("credentials"),
    source: await readSource(form, kind),
    destination:
      operation === "delete"
        ? undefined
        : compact({ bucket: text("destination.bucket"), prefix: text("destination.prefix") }),
    filter: Object.keys(filter).length > 0 ? filter : undefined,
    ...(operation !== "delete" && { onConflict: text("onConflict"), archived: text("archived") }),
    maxObjects: number("maxObjects"),
    maxObjectsPerSecond: number("maxObjectsPerSecond"),
    priority: number("priority"),
    failureThreshold: ratio === undefined ? undefined : { ratio },
    report: text("report"),
    label: text("label"),
  });
}

/** Globs that commas separate. A comma inside braces belongs to its glob: `*.{jpg,png}`. */
function splitGlobs(text) {
  const globs = [""];
  let depth = 0;
  for (const char of text) {
    if (char === "{") depth++;
    if (char === "}") depth = Math.max(0, depth - 1);
    if (char === "," && depth === 0) globs.push("");
    else globs[globs.length - 1] += char;
  }
  return globs.map((glob) => glob.trim()).filter(Boolean);
}

async function readSource(form, kind) {
  const bucket = form.elements["source.bucket"].value.trim();
  if (kind === "prefix") return { bucket, prefix: form.elements["source.prefix"].value };
  if (kind === "items")
    return {
      items: form.elements["source.items"].value
        .split("\n")
        .filter((key) => key !== "")
        .map((key) => ({ bucket, key })),
    };
  const [file] = form.elements["source.manifest"].files;
  const format = form.elements["source.format"].value;
  return compact({ manifest: await upload(file), format, bucket: bucket || undefined });
}

/** The manifest becomes a document, which the batch reads as it goes. */
async function upload(file) {
  const response = await fetch(
    `/api/documents?${new URLSearchParams({ name: file.name, deleteAfterDownload: "false", ttl: String(30 * 86_400) })}`,
    { method: "POST", headers: { "content-type": file.type || "text/plain" }, body: file },
  );
  const answer = await response.json();
  if (!response.ok) throw new ApiError(answer);
  return answer;
}

function compact(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
