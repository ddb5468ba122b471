// Asks the registry for known advisories of what is installed for use. Exits with 0 where there are none, with 1 where there are, and with 2 where the
// registry does not tell: then nothing is known. Runs without node_modules.
import { spawnSync } from "node:child_process";

/**
 * What `npm audit --json` came to, in words.
 *
 * @param {string} output its standard output
 * @returns {{ code: 0 | 1 | 2, text: string }}
 */
export function readAudit(output) {
  const report = parsed(output);
  const counts = report?.metadata?.vulnerabilities;
  if (typeof report?.vulnerabilities !== "object" || typeof counts?.total !== "number") {
    const why = report?.error?.summary || report?.message || report?.error?.code || "no report";
    return {
      code: 2,
      text: `Not known: the registry does not tell of advisories (${String(why).split("\n", 1)[0]?.slice(0, 200)}).`,
    };
  }
  if (counts.total === 0)
    return { code: 0, text: `No known advisories (${report.metadata.dependencies?.prod ?? 0} packages).` };
  const lines = Object.values(report.vulnerabilities).map(
    ({ name, severity, range, via }) =>
      `  ${severity} ${name} ${range}: ${via.map((cause) => (typeof cause === "string" ? `by ${cause}` : `${cause.title} ${cause.url}`)).join("; ")}`,
  );
  return { code: 1, text: [`${counts.total} packages with known advisories:`, ...lines].join("\n") };
}

function parsed(output) {
  try {
    return JSON.parse(output);
  } catch {
    return undefined; // a page, or nothing at all
  }
}

if (process.argv[1]?.endsWith("advisories.js")) {
  const { stdout, error } = spawnSync("npm", ["audit", "--omit", "dev", "--json"], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const { code, text } = error
    ? { code: 2, text: `Not known: npm could not be run (${error.message}).` }
    : readAudit(stdout);
  (code === 0 ? console.log : console.error)(text);
  process.exitCode = code;
}
