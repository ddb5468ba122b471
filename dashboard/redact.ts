const HIDDEN = "[redacted]";

/** Names under which secrets are kept, whatever they hold. Compared without case, hyphens and underscores. */
const SECRET_NAMES = new Set([
  "sealed",
  "secret",
  "secretkey",
  "secretaccesskey",
  "accesskeyid",
  "accesskey",
  "awsaccesskeyid",
  "awssecretaccesskey",
  "awssessiontoken",
  "sessiontoken",
  "securitytoken",
  "password",
  "passphrase",
  "privatekey",
  "apikey",
  "authorization",
  "ssecustomerkey",
  "copysourcessecustomerkey",
]);

/** The query of a URL that carries a signature: V4, V2, Google's and Azure's. */
const SIGNED_QUERY =
  /\?[^\s"'<>]*\b(?:X-Amz-(?:Signature|Credential|Security-Token)|X-Goog-Signature|Signature|AWSAccessKeyId|sig)=[^\s"'<>]*/gi;
/** A compact JWE (five parts) or JWT (three). */
const COMPACT_TOKEN = /\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}/g;
/** User and password in a URL. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']*:[^\s/@"']*@/gi;
/** Ids of AWS access keys. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
const ACCESS_KEY_ID = /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g;
/** A secret name and its value in text that may be broken JSON. */
const NAMED_SECRET = new RegExp(
  String.raw`((?:\\*["'])?(?<![A-Za-z0-9])(?:sealed|secret[-_]?(?:access[-_]?)?key|access[-_]?key[-_]?id|session[-_]?token|security[-_]?token|password|passphrase|private[-_]?key|api[-_]?key|authorization)(?:\\*["'])?\s*[:=]\s*)(?:\\*"(?:[^"\\]|\\[^"])*\\*"?|\\*'[^']*'?|[^\s,;}\]&]+)`,
  "gi",
);

/** A copy without secrets: what jobs hold may be shown to whoever may look. Everything that leaves the dashboard goes through here. */
export function redact(value: unknown): unknown {
  if (typeof value === "string") return redactText(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [redactText(name), isSecretName(name) ? HIDDEN : redact(inner)]),
  );
}

/** Takes secrets out of text that was not made by us: messages, keys, raw data of malformed jobs. */
export function redactText(text: string): string {
  return text
    .replace(NAMED_SECRET, (_found, name: string) => `${name}${HIDDEN}`)
    .replace(SIGNED_QUERY, `?${HIDDEN}`)
    .replace(COMPACT_TOKEN, HIDDEN)
    .replace(URL_PASSWORD, (_found, scheme: string) => `${scheme}${HIDDEN}@`)
    .replace(ACCESS_KEY_ID, HIDDEN);
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[-_]/g, "").replace(/^xamz/, ""));
}
