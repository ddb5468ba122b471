import { distance } from "fastest-levenshtein";

/** The candidate that a misspelt name probably meant, or `undefined` where none is near. */
export function closestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const edits = distance(name.toLowerCase(), candidate.toLowerCase());
    const most = Math.min(3, Math.max(1, Math.floor(candidate.length * 0.4)), candidate.length - 1);
    if (edits <= most && (best === undefined || edits < best.distance)) best = { name: candidate, distance: edits };
  }
  return best?.name;
}

/** `; did you mean x?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const closest = closestName(name, candidates);
  return closest === undefined ? "" : `; did you mean ${closest}?`;
}
