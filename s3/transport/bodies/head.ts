import type { Headers } from "../../requests/object-facts.ts";

/** What stands before the body of an answer. */
export type Head = {
  readonly status: number;
  readonly headers: Headers;
  /** Bytes of the body. */
  readonly size: number;
  /** Bytes of the head itself. */
  readonly length: number;
  /** Whether the connection is good for another request. */
  readonly staysOpen: boolean;
};

/** S3's own are below 8 KiB, and Node takes 16. */
const MAX_BYTES = 32 * 1024;
const END = "\r\n\r\n";
const STATUS = /^HTTP\/1\.([01]) ([2-5]\d\d)(?: |$)/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;
/** Said twice these would leave open which one counts. */
const ONCE: ReadonlySet<string> = new Set(["content-length", "content-range", "etag", "last-modified"]);

/**
 * Reads the head of an answer whose body ends by its length; `undefined` where more of it has to come. Throws for everything else that HTTP has
 * (other ways to end a body, lines that go on in the next, answers without a body), which are then the SDK's to read.
 */
export function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.subarray(0, MAX_BYTES).indexOf(END, 0, "latin1");
  if (end === -1 && bytes.length < MAX_BYTES) return undefined;
  if (end === -1) throw new Error(`expected an answer's headers within ${MAX_BYTES} bytes`);
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const [, minor, code] = STATUS.exec(first) ?? [];
  if (code === undefined) throw new Error("expected the first line of an answer");
  const headers = fieldsOf(lines);
  const length = headers.get("content-length");
  if (length === undefined || !/^\d{1,15}$/.test(length) || headers.has("transfer-encoding"))
    throw new Error("expected an answer with the length of its body");
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  return {
    status: Number(code),
    headers: Object.fromEntries(headers),
    size: Number(length),
    length: end + END.length,
    staysOpen: minor === "1" && !connection.includes("close"),
  };
}

function fieldsOf(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    if (name === undefined || value === undefined || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value))
      throw new Error("expected a header");
    const lower = name.toLowerCase();
    const before = fields.get(lower);
    if (before !== undefined && ONCE.has(lower)) throw new Error(`expected one ${lower}`);
    fields.set(lower, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}
