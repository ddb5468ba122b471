/** Where the dashboard is mounted: empty at the root of a host, else such as `/ops`. The server writes it into every page. */
export const base = globalThis.document?.documentElement.dataset["base"] ?? "";

/**
 * The address of a page or of a route of the API.
 * @param {string} path begins with a slash
 */
export const to = (path) => base + path;

/**
 * The path within the dashboard that an address of this host has.
 * @param {string} pathname
 */
export const within = (pathname) =>
  pathname === base ? "/" : pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : undefined;

/** Where the pages' files are, which the server writes there, too: a script may be part of any of them. */
const assets = globalThis.document?.documentElement.dataset["assets"] ?? "";

/**
 * The address of a file that is served beside these scripts.
 * @param {string} name
 */
export const asset = (name) => `${assets}/${name}`;
