/** An entity tag without its quotes: some stores leave them out, AWS never does. */
export function unquoteEtag(etag: string): string {
  // Asked several times for every object of a batch: most are bare already.
  if (!etag.includes('"') && !etag.startsWith("W/")) return etag;
  return etag.replace(/^W\//, "").replaceAll('"', "");
}

/** As S3 wants it in If-Match; `*` stays bare. */
export function quoteEtag(etag: string): string {
  return etag === "*" ? etag : `"${unquoteEtag(etag)}"`;
}

/** Whether the tag has the form of an MD5 of the whole body, which a multipart upload's never has. */
export function isSinglePartEtag(etag: string): boolean {
  return /^[0-9a-f]{32}$/i.test(etag);
}

/** Whether equal tags say that the content is equal: an MD5, or one made of the parts' MD5s. Some stores give every object the same. */
export function isContentEtag(etag: string): boolean {
  return /^[0-9a-f]{32}(-\d+)?$/i.test(etag);
}
