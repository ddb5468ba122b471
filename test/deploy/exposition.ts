/** One metric with all of its series. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export type Family = {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
};
export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};
type Draft = { name: string; help: string; type: string; samples: Sample[] };

const SAMPLE = /^([^\s{]+)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/;
const LABEL = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const TYPES: Readonly<Record<string, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};

/** Reads a page of metrics as strictly as `promtool check metrics` does, and says what is wrong with it. */
export function readExposition(text: string): { families: ReadonlyMap<string, Family>; problems: readonly string[] } {
  const families = new Map<string, Draft>();
  const problems: string[] = [];
  const seen = new Set<string>();
  let current: Draft | undefined;
  if (!text.endsWith("\n")) problems.push("expected the last line to end");
  for (const line of text.split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (keyword !== undefined) {
      if (current?.name !== name) {
        if (families.has(name)) problems.push(`${name}: its lines are not together`);
        current = { name, help: "", type: "", samples: [] };
        families.set(name, current);
      }
      const field = keyword === "HELP" ? "help" : "type";
      if (current[field] !== "") problems.push(`${name}: ${keyword} twice`);
      if (current.samples.length > 0) problems.push(`${name}: ${keyword} after its samples`);
      current[field] = rest;
    } else if (line !== "" && !line.startsWith("#")) {
      const sample = readSample(line, problems);
      if (sample === undefined) continue;
      const series = `${sample.name} ${Object.entries(sample.labels).map(String).toSorted().join()}`;
      if (seen.has(series)) problems.push(`${line}: the same series twice`);
      seen.add(series);
      if (current === undefined || !isOf(current, sample)) problems.push(`${line}: under no HELP and TYPE of its own`);
      else current.samples.push(sample);
    }
  }
  for (const family of families.values()) problems.push(...familyProblems(family));
  return { families, problems };
}

function readSample(line: string, problems: string[]): Sample | undefined {
  const [, name = "", body = "", number = ""] = SAMPLE.exec(line) ?? [];
  const value = /^[+-]?Inf$/.test(number) ? Number(`${number}inity`) : Number(number);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let end = 0;
  for (let found = LABEL.exec(body); found !== null && end < body.length; found = LABEL.exec(body)) {
    const [, label = "", text = ""] = found;
    if (label in labels) problems.push(`${line}: the label ${label} twice`);
    labels[label] = text;
    end = LABEL.lastIndex;
  }
  // Prometheus reads it in any case, and prom-client writes `Nan` where it has no sample yet.
  const isNumber = /^nan$/i.test(number) || !Number.isNaN(value);
  if (name !== "" && end === body.length && isNumber) return { name, labels, value };
  problems.push(`${line}: expected name{label="value"} number`);
  return undefined;
}

function isOf({ name, type }: Draft, sample: Sample): boolean {
  return (TYPES[type] ?? []).some((suffix) => sample.name === `${name}${suffix}`);
}

function familyProblems({ name, help, type, samples }: Family): string[] {
  const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
  return [
    [!/^[a-z_][a-z0-9_]*$/.test(name), "expected lower case letters, digits and underscores"],
    [help === "", "expected a HELP"],
    [!(type in TYPES), `expected one of ${Object.keys(TYPES).join(", ")}, got TYPE ${type}`],
    [(type === "counter") !== name.endsWith("_total"), "expected _total at the end of counters, and of them alone"],
    [/_(bucket|count|sum)$/.test(name), "expected no end that histograms use"],
    [/_(milliseconds|ms|minutes|hours|kilobytes|megabytes|mb)(_|$)/.test(name), "expected seconds and bytes"],
    [[...labels].some((label) => label.startsWith("__")), "expected no label that starts with __"],
  ].flatMap(([wrong, message]) => (wrong === true ? [`${name}: ${String(message)}`] : []));
}
