const NAME = "bucketline-batch-form";

/** What was written into the form for a batch and not sent yet: it outlives a reload, not the tab. */
export const draft = {
  /** @returns {Record<string, string> | undefined} */
  read() {
    try {
      const text = sessionStorage.getItem(NAME);
      return text === null ? undefined : JSON.parse(text);
    } catch {
      return undefined; // storage is off, or holds what is not ours
    }
  },
  /** @param {Readonly<Record<string, string>>} written */
  keep(written) {
    try {
      sessionStorage.setItem(NAME, JSON.stringify(written));
    } catch {
      // Storage is off or full: the form itself still holds it.
    }
  },
  drop() {
    try {
      sessionStorage.removeItem(NAME);
    } catch {
      // Storage is off: nothing was kept.
    }
  },
};
