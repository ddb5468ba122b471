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
  "serversideencryptioncustomerkey",
  "copysourceserversideencryptioncustomerkey",
  "clientsecret",
  "accesstoken",
  "refreshtoken",
  "idtoken",
  "bearertoken",
  "proxyauthorization",
]);

// Every pattern here reads a text once, whatever it holds: what is shown was written by anybody. So each takes a whole run of characters
// that another match could begin in, and looks at it afterwards.

/** From a question mark to the end of a URL. */
const QUERY = /\?[^\s"'<>]+/g;
/** A query that carries a signature: V4, V2, Google's and Azure's. */
const SIGNED = /\b(?:X-Amz-(?:Signature|Credential|Security-Token)|X-Goog-Signature|Signature|AWSAccessKeyId|sig)=/i;
/** Letters of compact tokens, with their dots. */
const TOKEN_RUN = /[\w.-]{12,}/g;
/** Where a token begins: `{"` in base64url. */
const TOKEN_START = /(?<!\w)eyJ/;
/** The shortest first part, and how many parts a JWT (three) or JWE (five) has besides. */
const TOKEN = { first: 11, fewest: 2, most: 4 } as const;
/** What a URL has before its host. */
const USER_INFO = /:\/\/([^\s/"']*)@/g;
/** Ids of AWS access keys. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
const ACCESS_KEY_ID = /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g;
/** The names of {@link SECRET_NAMES} as a text may spell them, and our own cookies. */
const NAME_IN_TEXT = [
  "sealed",
  "secret[-_]?(?:access[-_]?)?key",
  "access[-_]?key[-_]?id",
  "(?:session|security|access|refresh|id|bearer)[-_]?token",
  "server-side-encryption-customer-key",
  "sse[-_]?customer[-_]?key",
  "client[-_]?secret",
  "password|passphrase",
  "private[-_]?key",
  "api[-_]?key",
  "authorization",
  "bucketline_(?:session|device|oidc)",
].join("|");
/** A value in quotes, in those of JSON within JSON too, or up to the next sign; of a header's credentials what stands behind their scheme. */
const VALUE = String.raw`(?:"(?:[^"\\]|\\[^])*"?|\\{1,16}"(?:[^"\\]|\\[^"])*\\{0,16}"?|\\{0,16}'[^']*'?|(?:(?:Bearer|Basic|Digest|Negotiate|AWS|AWS4-[A-Z0-9-]{1,32})\s{1,16})?[^\s,;}\]&]+)`;
/** A secret name and its value in text that may be broken JSON, or XML. */
const NAMED_SECRET = new RegExp(
  String.raw`((?<![A-Za-z0-9])(?:${NAME_IN_TEXT})(?:\\{0,16}["'])?\s{0,64}(?:=>|[:=>])\s{0,64})${VALUE}`,
  "gi",
);
/** A signature outside of a query, or in one that is percent-encoded as a part of another. */
const SIGNATURE =
  /(?<![A-Za-z-])((?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|Signature)(?:=|%3D))(?!\[redacted\])[^\s"'<>&,;)]+/gi;
/** Tokens of the HTTP API, as `create-token` makes them. */
const OWN_TOKEN = /\bbl_[\w-]{16,}/g;

/** Characters of one text that are looked at and shown. */
const LONGEST = 64 * 1024;
/** Beyond the end of what is shown, so that a secret that begins before it is known for one. */
const MARGIN = 4096;
/** Deeper data is nobody's, and would overflow the stack. */
const DEEPEST = 64;

/** A copy without secrets: what jobs hold may be shown to whoever may look. Everything that leaves the dashboard goes through here. */
export function redact(value: unknown): unknown {
  return redactBelow(value, 0);
}

function redactBelow(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEEPEST) return "[too deep to show]";
  if (Array.isArray(value)) return value.map((inner) => redactBelow(inner, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      redactText(name),
      isSecretName(name) ? HIDDEN : redactBelow(inner, depth + 1),
    ]),
  );
}

/**
 * Takes secrets out of text that was not made by us: messages, keys, raw data of malformed jobs. What is beyond `longest` characters
 * (default 65,536) is cut off before it is looked at.
 */
export function redactText(text: string, longest: number = LONGEST): string {
  const looked = text.length > longest + MARGIN ? text.slice(0, longest + MARGIN) : text;
  const safe = looked
    .replace(NAMED_SECRET, (_found, name: string) => `${name}${HIDDEN}`)
    .replace(QUERY, (query) => (SIGNED.test(query) ? `?${HIDDEN}` : query))
    .replace(SIGNATURE, (_found, name: string) => `${name}${HIDDEN}`)
    .replace(OWN_TOKEN, HIDDEN)
    .replace(TOKEN_RUN, hideTokens)
    .replace(USER_INFO, (found, user: string) => (user.includes(":") ? `://${HIDDEN}@` : found))
    .replace(ACCESS_KEY_ID, HIDDEN);
  return safe.length > longest ? `${safe.slice(0, longest)}…` : safe;
}

/** Compact tokens in a run of their letters. */
function hideTokens(run: string): string {
  if (!run.includes("eyJ")) return run;
  const parts = run.split(".");
  const kept: string[] = [];
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? "";
    const start = part.search(TOKEN_START);
    const left = parts.length - 1 - at;
    if (start === -1 || part.length - start < TOKEN.first || left < TOKEN.fewest) kept.push(part);
    else {
      kept.push(part.slice(0, start) + HIDDEN);
      at += Math.min(TOKEN.most, left);
    }
  }
  return kept.join(".");
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[-_]/g, "").replace(/^xamz/, ""));
}
