// Signing in by the headers of a proxy in front: which of its settings make whom an operator.

/** Who a trusted proxy says somebody is, and whom that makes an operator. */
export type ProxyLogin = {
  readonly userHeader: string;
  /** Comma-separated groups of the user. */
  readonly groupsHeader?: string;
  /** Names of users that are operators; everybody else is a viewer. */
  readonly operatorUsers: readonly string[];
  /** Names of groups whose members are operators. A user of such a name is none. */
  readonly operatorGroups: readonly string[];
};

/** The variables of it, as they were read. */
export type ProxySettings = {
  readonly proxies: readonly string[];
  readonly proxyUserHeader?: string | undefined;
  readonly proxyGroupsHeader?: string | undefined;
  readonly proxyOperators: readonly string[];
  readonly proxyOperatorUsers: readonly string[];
  readonly proxyOperatorGroups: readonly string[];
};

/** The header of the proxies that sign people in, where only the one of groups is named. */
const USUAL_USER_HEADER = "x-forwarded-user";

/**
 * On only where one of its headers is named: a proxy that is trusted for TLS alone usually passes `X-Forwarded-User` on as a browser
 * sent it.
 */
export function proxyLogin(settings: ProxySettings): ProxyLogin | undefined {
  const { proxyUserHeader, proxyGroupsHeader, proxyOperators } = settings;
  if (proxyUserHeader === undefined && proxyGroupsHeader === undefined) return undefined;
  const byGroup = proxyGroupsHeader !== undefined;
  return {
    userHeader: proxyUserHeader ?? USUAL_USER_HEADER,
    ...(byGroup && { groupsHeader: proxyGroupsHeader }),
    // The short form means groups where there are any, and never both: anybody might be called like a group.
    operatorUsers: [...settings.proxyOperatorUsers, ...(byGroup ? [] : proxyOperators)],
    operatorGroups: [...settings.proxyOperatorGroups, ...(byGroup ? proxyOperators : [])],
  };
}
