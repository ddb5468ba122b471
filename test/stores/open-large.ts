import { content, MIB, openS3, type OpenOptions } from "../open-s3.ts";

/** Cuts whatever is larger than a MiB into parts of one, four at once. */
export const TRANSFER = { threshold: MIB, partSize: MIB, concurrency: 4 };
/** More than ten parts, and no whole number of them. */
export const SIZE = 10 * MIB + 17;
export const object = { bucket: "in", key: "large" };

/** A store with an object of {@link SIZE} bytes that is read in parts, and the GETs that it was sent. */
export async function openLarge(options: OpenOptions = {}) {
  const opened = await openS3({ ...options, connection: { transfer: TRANSFER, ...options.connection } });
  const { bytes } = content(SIZE);
  opened.sandbox.put(object.bucket, object.key, bytes);
  const gets = () => opened.sandbox.log.filter(({ operation }) => operation === "GetObject");
  const ranges = () => gets().filter(({ headers }) => headers["range"] !== undefined);
  return { ...opened, bytes, gets, ranges };
}
