import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

/** Below it a header costs more than is saved. */
const MIN_BYTES = 512;

export type Encoded = { readonly content: Buffer; readonly encoding?: "br" | "gzip" };

/** Content in whatever form the reader takes, made once and kept. */
export type Compressed = (acceptEncoding: string | undefined) => Promise<Encoded>;

/** Prepares content that is sent again and again. Nothing is packed before somebody asks. */
export function compressed(content: Buffer): Compressed {
  let br: Promise<Buffer> | undefined;
  let gz: Promise<Buffer> | undefined;
  return async (acceptEncoding = "") => {
    if (content.length < MIN_BYTES) return { content };
    if (accepts(acceptEncoding, "br")) {
      br ??= brotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
      return { content: await br, encoding: "br" };
    }
    if (!accepts(acceptEncoding, "gzip")) return { content };
    gz ??= zip(content, { level: 9 });
    return { content: await gz, encoding: "gzip" };
  };
}

/** Whether a reader takes an encoding. https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding */
export function accepts(header: string, encoding: string): boolean {
  return header.split(",").some((part) => {
    const [name, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((text) => /^q=0(\.0*)?$/.test(text));
  });
}
