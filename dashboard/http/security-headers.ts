/**
 * Everything from here and nothing from anywhere else; no inline script or style, no eval.
 * https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
 */
export const CSP = {
  "default-src": ["'self'"],
  "script-src": ["'self'"],
  "style-src": ["'self'"],
  "img-src": ["'self'", "data:"],
  "font-src": ["'self'"],
  "connect-src": ["'self'"],
  "object-src": ["'none'"],
  "base-uri": ["'none'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'none'"],
} as const satisfies Record<string, readonly string[]>;

/** Nothing here needs any of these. */
export const PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";

/**
 * bull-board's page has a base element and styles in itself and sets styles as it runs; scripts are as strictly ours as everywhere.
 * Only below /queues.
 */
export const BULL_BOARD_CSP = Object.entries({
  ...CSP,
  "style-src": ["'self'", "'unsafe-inline'"],
  "base-uri": ["'self'"],
})
  .map(([name, sources]) => `${name} ${sources.join(" ")}`)
  .join(";");
