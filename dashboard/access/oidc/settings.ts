import { z } from "zod";

/** Signing in at an OpenID Connect provider. */
export type OidcLogin = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  /** Whose value is the user's name. */
  readonly nameClaim: string;
  /** Whose values are the user's groups. */
  readonly groupsClaim: string;
  readonly operatorUsers: readonly string[];
  readonly operatorGroups: readonly string[];
  /** Members may look; empty: everybody whom the provider signs in may. */
  readonly viewerGroups: readonly string[];
};

const List = z.string().transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== ""));
const Claim = z.string().regex(/^[\x21-\x7e]{1,128}$/, { error: "expected the name of a claim" });

export const OIDC_NAMES = {
  oidcIssuer: "BUCKETLINE_DASHBOARD_OIDC_ISSUER",
  oidcClientId: "BUCKETLINE_DASHBOARD_OIDC_CLIENT_ID",
  oidcClientSecret: "BUCKETLINE_DASHBOARD_OIDC_CLIENT_SECRET",
  oidcScopes: "BUCKETLINE_DASHBOARD_OIDC_SCOPES",
  oidcNameClaim: "BUCKETLINE_DASHBOARD_OIDC_NAME_CLAIM",
  oidcGroupsClaim: "BUCKETLINE_DASHBOARD_OIDC_GROUPS_CLAIM",
  oidcOperatorUsers: "BUCKETLINE_DASHBOARD_OIDC_OPERATOR_USERS",
  oidcOperatorGroups: "BUCKETLINE_DASHBOARD_OIDC_OPERATOR_GROUPS",
  oidcViewerGroups: "BUCKETLINE_DASHBOARD_OIDC_VIEWER_GROUPS",
} as const;

/** What a provider says has to come over TLS; on this machine, for trials, it need not. */
const ISSUER = /^https:\/\/|^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?:\/|$)/;

export const OidcEnvironment = {
  oidcIssuer: z
    .string()
    .refine((url) => URL.canParse(url) && ISSUER.test(url), { error: "expected the https:// address of a provider" })
    .optional(),
  oidcClientId: z.string().min(1).max(512).optional(),
  // Sessions are signed with a key made of it.
  oidcClientSecret: z.string().min(16, { error: "expected at least 16 characters" }).max(1024).optional(),
  oidcScopes: List.default(["openid", "profile", "email"]),
  oidcNameClaim: Claim.default("preferred_username"),
  oidcGroupsClaim: Claim.default("groups"),
  oidcOperatorUsers: List.default([]),
  oidcOperatorGroups: List.default([]),
  oidcViewerGroups: List.default([]),
} as const;

type Settings = z.output<z.ZodObject<typeof OidcEnvironment>>;

/** On where an issuer is named. */
export function oidcLogin(settings: Settings): OidcLogin | undefined {
  const { oidcIssuer, oidcClientId, oidcClientSecret } = settings;
  if (oidcIssuer === undefined || oidcClientId === undefined || oidcClientSecret === undefined) return undefined;
  return {
    issuer: oidcIssuer,
    clientId: oidcClientId,
    clientSecret: oidcClientSecret,
    scopes: [...new Set(["openid", ...settings.oidcScopes])],
    nameClaim: settings.oidcNameClaim,
    groupsClaim: settings.oidcGroupsClaim,
    operatorUsers: settings.oidcOperatorUsers,
    operatorGroups: settings.oidcOperatorGroups,
    viewerGroups: settings.oidcViewerGroups,
  };
}

/** The three belong together, and nothing else counts without them. */
export function oidcProblems(settings: Settings): string[] {
  const core = ["oidcIssuer", "oidcClientId", "oidcClientSecret"] as const;
  const missing = core.filter((name) => settings[name] === undefined);
  if (missing.length === 0) return [];
  const others = ["oidcOperatorUsers", "oidcOperatorGroups", "oidcViewerGroups"] as const;
  const asked = missing.length < core.length || others.some((name) => settings[name].length > 0);
  return asked ? missing.map((name) => `${OIDC_NAMES[name]}: expected it beside the other settings of OIDC`) : [];
}
