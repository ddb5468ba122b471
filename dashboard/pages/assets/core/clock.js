/** Less is the way that an answer takes, and no clock that is off. */
const NOTICED_MS = 5000;

let ahead = 0;

/**
 * Learns by how much the browser's clock is off.
 * @param {string} at the time that it is
 */
export function learnTime(at) {
  const off = Date.now() - Date.parse(at);
  ahead = Math.abs(off) > NOTICED_MS ? off : 0;
}

/** Milliseconds since 1970 by the clock that all times on the pages are of, which is Redis'. */
export const now = () => Date.now() - ahead;
