export type Place = { readonly bucket: string; readonly key: string };
export const nameOf = ({ bucket, key }: Place): string => `${bucket}/${key}`;

/** What was written at one moment: an object, and the only thing that tells it from another with the same bytes. */
export type Generation = {
  readonly id: number;
  /** Bytes and metadata: what must not be lost. Copies have their source's. */
  readonly payload: string;
  readonly etag: string;
  readonly size: number;
  readonly modified: number;
  readonly versionId: string | undefined;
  readonly marker: boolean;
  /** Who wrote it; `owner` is somebody outside. */
  readonly by: string;
};

/** The bytes of a payload: its metadata follows a slash. */
export const bytesOf = (payload: string): string => payload.split("/")[0] ?? payload;
