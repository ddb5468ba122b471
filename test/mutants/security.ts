import type { Mutant } from "./change.ts";

const WRITER = "worker/redis-writer.test.ts";
const SIGN_IN = "dashboard/access/sign-in.test.ts";
const SCOPE = "dashboard/access/scope.test.ts";
const EMBEDDED = "dashboard/embed.test.ts";
const OIDC = "dashboard/access/oidc/login.test.ts";
const STREAMS = "dashboard/access/streams.test.ts";

/** What keeps requests within policies, people out of what is not theirs, and secrets out of sight. */
export const securityMutants: readonly Mutant[] = [
  {
    rule: "a job's requests keep to what its input names",
    file: "s3/pool.ts",
    find: "if (accesses.some((access) => isWithin(access, touched))) return;",
    replace: "return;",
    test: WRITER,
  },
  {
    rule: "the policy is asked before a page of a listing",
    file: "s3/pool.ts",
    find: "list: (access) => checkPolicy(profile, listing, access),",
    replace: "list: () => undefined,",
    test: WRITER,
  },
  {
    rule: "a bucket that the policy denies is not looked at",
    file: "s3/pool.ts",
    find: "reach: (bucket) => checkBucketReach(profile, activity, bucket),",
    replace: "reach: () => undefined,",
    test: WRITER,
  },
  {
    rule: "an upload that is not the job's own is not ended",
    file: "s3/guard.ts",
    find: "if (passes(at, upload)) await s3.abandonUpload(upload);",
    replace: "await s3.abandonUpload(upload);",
    test: WRITER,
  },
  {
    rule: "a presigned URL needs what it stands for",
    file: "model/access.ts",
    find: 'put: "put-object", delete: "delete-object"',
    replace: 'put: "presign-object", delete: "presign-object"',
    test: "jobs/presign-object/handler.test.ts",
  },
  {
    rule: "sealed credentials may do nothing that is not allowed",
    file: "credentials/load-profiles.ts",
    find: "const policy = section.allow ?? [];",
    replace: 'const policy = section.allow ?? [{ activities: ["*" as const], buckets: ["*"] }];',
    test: "credentials/sealed.test.ts",
  },
  {
    rule: "no header signs anybody in that is not named",
    file: "dashboard/config.ts",
    find: "if (proxyUserHeader === undefined && proxyGroupsHeader === undefined) return undefined;",
    replace: "",
    test: SIGN_IN,
  },
  {
    rule: "a session that was made up in Redis is nobody's",
    file: "dashboard/access/sessions.ts",
    find: "return user !== undefined && isSigned(session, user, id) ?",
    replace: "return user !== undefined ?",
    test: SIGN_IN,
  },
  {
    rule: "strangers who guess do not lock a person out",
    file: "dashboard/access/session-routes.ts",
    find: "const device = knownDevice(deviceOf(request), user);",
    replace: "const device = knownDevice(undefined, user);",
    test: SIGN_IN,
  },
  {
    rule: "a plain cookie does not count where TLS is certain",
    file: "dashboard/access/cookies.ts",
    find: 'return secured ?? (request.protocol === "https" ? undefined : request.cookies[name]);',
    replace: "return secured ?? request.cookies[name];",
    test: SIGN_IN,
  },
  {
    rule: "a token is nobody's after its last day",
    file: "dashboard/access/identity.ts",
    find: "if (found?.expires !== undefined && Date.now() >= found.expires) return undefined;",
    replace: "",
    test: SIGN_IN,
  },
  {
    rule: "one reader leaves event streams for others",
    file: "dashboard/watch/stream-seats.ts",
    find: "(isOpen || own.length < MAX_OWN_STREAMS)",
    replace: "true",
    test: STREAMS,
  },
  {
    rule: "all event streams share one look at Redis",
    file: "dashboard/watch/overview.ts",
    find: "const overview = keptFor(FRESH_MS,",
    replace: "const overview = keptFor(0,",
    test: STREAMS,
  },
  {
    rule: "streams leave a browser connections for pages",
    file: "dashboard/watch/stream-seats.ts",
    find: "if (held.length === BROWSER_CONNECTIONS)",
    replace: "if (held.length < 0)",
    test: STREAMS,
  },
  {
    rule: "bull-board takes no key of BullMQ's own for a job",
    file: "dashboard/bull-board.ts",
    find: '(isOwnKey(id) || id.includes(":"))',
    replace: "id === undefined",
    test: STREAMS,
  },
  {
    rule: "the log holds nothing that hangs on an error",
    file: "dashboard/create.ts",
    find: "err: (error: unknown) => errorForLog(error)",
    replace: "err: (error: unknown) => error",
    test: "dashboard/error-for-log.test.ts",
  },
  {
    rule: "text that is shown is read once",
    file: "dashboard/redact.ts",
    find: ".replace(TOKEN_RUN, hideTokens)",
    replace: ".replace(/\\beyJ[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*){2,4}/g, HIDDEN)",
    test: "test/blocking.test.ts",
  },
  {
    rule: "a report holds no formula",
    file: "batches/report/read-rows.ts",
    find: "FORMULA.test(given)",
    replace: "given === FORMULA.source",
    test: "batches/report/read-rows.test.ts",
  },
  {
    rule: "a token does nothing outside of its scope",
    file: "dashboard/http/route.ts",
    find: "if (request.identity?.scope !== undefined) checkScope(request.identity, (await route.touches?.(call)) ?? []);",
    replace: "",
    test: SCOPE,
  },
  {
    rule: "a token with a scope uses no route that does not say what it touches",
    file: "dashboard/access/authorize.ts",
    find: "if (request.routeOptions.config.scoped !== true)",
    replace: "if (access === undefined)",
    test: SCOPE,
  },
  {
    rule: "a proxy that is not trusted says nothing of where the dashboard is mounted",
    file: "dashboard/http/base-path.ts",
    find: '!fromProxy(socket.remoteAddress)) return "";',
    replace: 'socket.remoteAddress === "") return "";',
    test: "dashboard/http/base-path.test.ts",
  },
  {
    rule: "a sandbox is steered by nobody without its secret",
    file: "sandbox/http/control.ts",
    find: "!knows(secret, request.headers[SECRET_HEADER])",
    replace: "secret.length === 0",
    test: "sandbox/start-process.test.ts",
  },
  {
    rule: "a dashboard within an app is not made where nobody has to say who they are",
    file: "dashboard/embed.ts",
    find: "if (!hasLogin(settings))",
    replace: "if (settings.port < 0)",
    test: EMBEDDED,
  },
  {
    rule: "a foreign page cannot use the cookies of the app around the dashboard",
    file: "dashboard/access/check-origin.ts",
    find: 'new Set(["proxy", "host"])',
    replace: 'new Set(["proxy"])',
    test: EMBEDDED,
  },
  {
    rule: "nobody comes back from a provider who did not leave from this browser",
    file: "dashboard/access/oidc/login.ts",
    find: "if (one.length !== other.length || !timingSafeEqual(one, other)) return undefined;",
    replace: 'if (text === "") return undefined;',
    test: OIDC,
  },
  {
    rule: "a provider's token is signed with the provider's key",
    file: "dashboard/access/oidc/login.ts",
    find: "execute: [...insecure, client.enableNonRepudiationChecks],",
    replace: "execute: insecure,",
    test: OIDC,
  },
];
