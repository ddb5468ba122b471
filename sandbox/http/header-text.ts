/**
 * Headers are bytes. Node shows each as a character (Latin-1), and so they are kept here, to be answered as they came; these
 * two translate for people and tests.
 */

/** The text of a kept header: UTF-8 where its bytes are that, else Latin-1. */
export function headerText(kept: string): string {
  // oxlint-disable-next-line no-control-regex -- the whole of ASCII
  if (/^[\u0000-\u007f]*$/.test(kept)) return kept;
  const bytes = Buffer.from(kept, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : kept;
}

/** A header as it is kept, from its text. */
export function keptHeader(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** All headers of a record, translated. */
export function mapHeaders(
  headers: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, change(value)]));
}
