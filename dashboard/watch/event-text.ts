/**
 * What is looked at again and again; undefined where there is nothing to say this time. What did not change is not sent again. With
 * `parts`, what was sent before is followed by `<event>-changes`, which hold those of its fields that changed.
 */
export type Topic = { readonly event: string; readonly read: () => Promise<unknown>; readonly parts?: boolean };

/** What a reader was told last, by event and field. */
export type Told = Map<string, ReadonlyMap<string, string>>;

/** The event that tells a reader what it has not been told yet; undefined where that is nothing. From then on it counts as told. */
export function textFor(told: Told, { event, parts = false }: Topic, data: unknown): string | undefined {
  if (data === undefined) return undefined;
  const now = inJson(data, parts);
  const before = told.get(event);
  told.set(event, now);
  const whole = now.get("") ?? `{${bodyOf(now)}}`;
  if (before === undefined) return `event: ${event}\ndata: ${whole}\n\n`;
  const changed = before === now ? [] : [...now].filter(([name, text]) => before.get(name) !== text);
  if (changed.length === 0) return undefined;
  if (!parts) return `event: ${event}\ndata: ${whole}\n\n`;
  return `event: ${event}-changes\ndata: {${bodyOf(changed)}}\n\n`;
}

const written = new WeakMap<object, ReadonlyMap<string, string>>();

/** By field, or as a whole under no name. Many readers are told the same, which is written out once. */
function inJson(data: unknown, parts: boolean): ReadonlyMap<string, string> {
  const object = data as object; // only objects are sent
  const known = written.get(object);
  if (known !== undefined) return known;
  const fields = parts ? Object.entries(object) : [["", object] as const];
  const json = new Map(
    fields.filter(([, value]) => value !== undefined).map(([name, value]) => [name, JSON.stringify(value)] as const),
  );
  written.set(object, json);
  return json;
}

function bodyOf(fields: Iterable<readonly [string, string]>): string {
  return [...fields].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",");
}
