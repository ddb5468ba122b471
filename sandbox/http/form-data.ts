import { S3Error } from "./s3-error.ts";

/** A form of a browser: its fields by lower-case name, and the file, after which S3 reads no more. */
export type Form = { fields: Map<string, string>; file: { name: string; bytes: Buffer } };

const NEWLINE = Buffer.from("\r\n");

/** Reads `multipart/form-data` (RFC 7578). @throws S3Error MalformedPOSTRequest, InvalidArgument (no file) */
export function parseForm(body: Buffer, contentType: string | undefined): Form {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? "");
  if (boundary === null || !/^multipart\/form-data/i.test(contentType ?? "")) {
    throw new S3Error("PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data", {
      elements: { Condition: "Bucket POST must be of the enclosure-type multipart/form-data" },
    });
  }
  const delimiter = Buffer.from(`--${boundary[1] ?? boundary[2]}`);
  const fields = new Map<string, string>();
  let at = body.indexOf(delimiter);
  while (at >= 0) {
    const start = at + delimiter.length;
    if (body.subarray(start, start + 2).toString("latin1") === "--") break;
    const end = body.indexOf(Buffer.concat([NEWLINE, delimiter]), start);
    if (end < 0) throw malformedForm();
    const part = parsePart(body.subarray(start + 2, end));
    if (part.name.toLowerCase() === "file") return { fields, file: { name: part.fileName, bytes: part.bytes } };
    fields.set(part.name.toLowerCase(), part.bytes.toString("utf8"));
    at = end + 2;
  }
  throw new S3Error("InvalidArgument", "POST requires exactly one file upload per request.", {
    elements: { ArgumentName: "file", ArgumentValue: "0" },
  });
}

function parsePart(part: Buffer): { name: string; fileName: string; bytes: Buffer } {
  const split = part.indexOf("\r\n\r\n");
  if (split < 0) throw malformedForm();
  const disposition = /^content-disposition:(.*)$/im.exec(part.toString("utf8", 0, split))?.[1] ?? "";
  const name = /\bname="([^"]*)"/i.exec(disposition.replace(/filename="[^"]*"/i, ""))?.[1];
  if (name === undefined) throw malformedForm();
  const fileName = /\bfilename="([^"]*)"/i.exec(disposition)?.[1] ?? "";
  return { name, fileName, bytes: part.subarray(split + 4) };
}

function malformedForm(): S3Error {
  return new S3Error("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.");
}
