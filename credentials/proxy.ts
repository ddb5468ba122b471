/** The proxies between a worker and its stores, as every tool reads them. A value may hold a password. */
export type Proxy = {
  /** For http endpoints. Empty: none. */
  readonly httpProxy: string;
  /** For https endpoints, AWS among them. Empty: none. */
  readonly httpsProxy: string;
  /** Hosts and domains that are reached directly, separated by commas. */
  readonly noProxy: string;
};

/** What the environment says; lower case counts before upper, as in curl and AWS's tools. `undefined` where there is no proxy. */
export function proxyOf(env: NodeJS.ProcessEnv): Proxy | undefined {
  const value = (name: string): string => (env[name.toLowerCase()] || env[name] || "").trim();
  const [httpProxy, httpsProxy, noProxy] = [value("HTTP_PROXY"), value("HTTPS_PROXY"), value("NO_PROXY")];
  return httpProxy === "" && httpsProxy === "" ? undefined : { httpProxy, httpsProxy, noProxy };
}

/** What is wrong with the variables; their values are not told, as they may hold a password. */
export function proxyProblems(proxy: Proxy | undefined): readonly string[] {
  if (proxy === undefined) return [];
  const named = [
    ["HTTP_PROXY", proxy.httpProxy],
    ["HTTPS_PROXY", proxy.httpsProxy],
  ] as const;
  return named
    .filter(([, url]) => url !== "" && !/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    .map(([name]) => `${name}: expected the http or https URL of a proxy`);
}

/** For Node's agents, which then use them: https through a tunnel, http by whole URLs. */
export function agentProxy(proxy: Proxy | undefined): { proxyEnv?: Record<string, string> } {
  if (proxy === undefined) return {};
  return { proxyEnv: { HTTP_PROXY: proxy.httpProxy, HTTPS_PROXY: proxy.httpsProxy, NO_PROXY: proxy.noProxy } };
}
