import type { Mutant } from "./change.ts";

const SPOOFING = "dashboard/access/spoofing.test.ts";

/** Who comes in, from where, and how much of a door one may hold. */
export const doorMutants: readonly Mutant[] = [
  {
    rule: "a header that signs people in counts once",
    file: "dashboard/access/identity.ts",
    find: "if (name === undefined || isTwice(request, userHeader)) return undefined;",
    replace: "if (name === undefined) return undefined;",
    test: SPOOFING,
  },
  {
    rule: "groups that a browser sent beside the proxy's make nobody an operator",
    file: "dashboard/access/identity.ts",
    find: "if (groupsHeader !== undefined && isTwice(request, groupsHeader)) return undefined;",
    replace: "",
    test: SPOOFING,
  },
  {
    rule: "another port of a public name is another server's",
    file: "dashboard/access/check-origin.ts",
    find: '(url.port === "" || site === "same-origin")',
    replace: "true",
    test: SPOOFING,
  },
  {
    rule: "a foreign page makes a browser look at nothing in passing",
    file: "dashboard/access/authorize.ts",
    find: 'else if (request.url.startsWith("/api/")) checkReader(request, { links: true });',
    replace: "",
    test: SPOOFING,
  },
  {
    rule: "no link leads an operator to a secret",
    file: "dashboard/access/authorize.ts",
    find: "checkReader(request, { links: false });",
    replace: "",
    test: SPOOFING,
  },
  {
    rule: "a token with a scope reads no report by guessing its id",
    file: "dashboard/api/document-routes.ts",
    find: 'RANDOM_ID.test(id) ? [] : [{ activity: "a document of a batch" }]',
    replace: "RANDOM_ID.test(id) ? [] : []",
    test: "dashboard/access/scope.test.ts",
  },
  {
    rule: "an address that is not verified is nobody's name",
    file: "dashboard/access/oidc/login.ts",
    find: 'verified !== true && verified !== "true"',
    replace: "verified === 5",
    test: "dashboard/access/oidc/login.test.ts",
  },
  {
    rule: "one client does not hold all connections",
    file: "dashboard/http/bound-connections.ts",
    find: "if (count > most) {",
    replace: "if (count < 0) {",
    test: "dashboard/http/bound-connections.test.ts",
  },
  {
    rule: "a probe's port lets go of who says nothing",
    file: "worker/monitoring/health.ts",
    find: "createServer(PATIENCE, (request",
    replace: "createServer({}, (request",
    test: "worker/monitoring/health.test.ts",
  },
  {
    rule: "a terminal shows what is repeated of wrong usage, and obeys none of it",
    file: "cli/usage-exit.ts",
    find: "write(printableLines(text))",
    replace: "write(text)",
    test: "cli/commands/objects/files.test.ts",
  },
];
