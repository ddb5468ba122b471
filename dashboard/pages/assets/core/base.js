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

/**
 * The address of a file that is served beside these scripts.
 * @param {string} name
 */
export const asset = (name) => new URL(`../${name}`, import.meta.url).href;
