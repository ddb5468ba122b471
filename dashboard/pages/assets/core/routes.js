/** The pages: address, module below `views/`, title. The server has the same list of addresses, and a test compares them. */
export const PAGES = /** @type {const} */ ([
  ["/", "overview", "Overview"],
  ["/problems", "problems", "Problems"],
  ["/problems/:id", "problem", "Problem"],
  ["/search", "search", "Search"],
  ["/bulk/:id", "bulk", "Action"],
  ["/batches", "batches", "Batches"],
  ["/batches/new", "batch-form", "Start a batch"],
  ["/batches/:id", "batch", "Batch"],
  ["/jobs", "activities", "Jobs"],
  ["/jobs/:activity", "jobs", "Jobs"],
  ["/jobs/:activity/:id", "job", "Job"],
  ["/quarantine", "quarantine", "Quarantine"],
  ["/schedules", "schedules", "Schedules"],
  ["/profiles", "profiles", "Profiles"],
  ["/documents", "documents", "Documents"],
  ["/audit", "audit", "Audit"],
  ["/workers", "workers", "Workers"],
  ["/about", "about", "About"],
  ["/docs", "docs", "HTTP API"],
]);

/**
 * A page with what its address says.
 * @typedef {{ view: string, title: string, path: string, params: Readonly<Record<string, string>>, query: URLSearchParams }} Route
 */

/**
 * The page at a path within the dashboard; undefined where there is none.
 * @param {string} path
 * @param {string} search
 * @returns {Route | undefined}
 */
export function findRoute(path, search = "") {
  const segments = path.replace(/(?<=.)\/$/, "").split("/");
  for (const [pattern, view, title] of PAGES) {
    const wanted = pattern.split("/");
    if (wanted.length !== segments.length) continue;
    const pairs = wanted.map((name, index) => /** @type {const} */ ([name, segments[index] ?? ""]));
    if (!pairs.every(([name, segment]) => (name.startsWith(":") ? segment !== "" : name === segment))) continue;
    const params = pairs.flatMap(([name, segment]) => (name.startsWith(":") ? [[name.slice(1), decode(segment)]] : []));
    return { view, title, path, params: Object.fromEntries(params), query: new URLSearchParams(search) };
  }
  return undefined;
}

/** @param {string} segment */
function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // an address typed by hand
  }
}
