/** Access points have aliases that stand where a bucket's name does. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html */
export function isAlias(bucket: string): boolean {
  return /(-s3alias|--ol-s3)$/.test(bucket);
}

/** Two dates of one object: listings tell milliseconds on some stores, HEAD only seconds. */
export function isSameSecond(one: string, other: string): boolean {
  return Math.floor(Date.parse(one) / 1000) === Math.floor(Date.parse(other) / 1000);
}

/** Whether a store that folds names may take two keys for one: in letters' case, Unicode form, or repeated and outer slashes. */
export function mayFoldTogether(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

function folded(key: string): string {
  return key
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/\/{2,}/g, "/")
    .replaceAll(/^\/|\/$/g, "");
}
