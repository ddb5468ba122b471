import type { Mutant } from "./change.ts";

/** What keeps secrets out of sight, and what others wrote from being more than text. */
export const secretMutants: readonly Mutant[] = [
  {
    rule: "credentials behind a scheme are taken out with it",
    file: "dashboard/redact.ts",
    find: "(?:(?:Bearer|Basic|Digest|Negotiate|AWS|AWS4-[A-Z0-9-]{1,32})\\s{1,16})?[^",
    replace: "[^",
    test: "dashboard/redact.test.ts",
  },
  {
    rule: "a signature is taken out wherever it stands",
    file: "dashboard/redact.ts",
    find: ".replace(SIGNATURE, (_found, name: string) => `${name}${HIDDEN}`)",
    replace: "",
    test: "dashboard/redact.test.ts",
  },
  {
    rule: "a customer's key that a store echoes is in no error",
    file: "s3/error-mapping.ts",
    find: '.replaceAll(/(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{43}=/g, "[redacted]")',
    replace: "",
    test: "s3/conformance.test.ts",
  },
  {
    rule: "a worker tells what everybody on its machine may change",
    file: "worker/config/open-to-all.ts",
    find: "(mode & WRITE) !== 0 && (mode & STICKY) === 0",
    replace: "mode < 0",
    test: "cli/commands/service/check.test.ts",
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
    rule: "no token lasts for ever, by whatever means it was sealed",
    file: "credentials/sealed-token.ts",
    find: "exp - iat > MAX_SEALED_S",
    replace: "exp < iat",
    test: "credentials/sealed.test.ts",
  },
  {
    rule: "what somebody packed into a token is not unpacked",
    file: "credentials/sealed-token.ts",
    find: "maxDecompressedLength: 0,",
    replace: "maxDecompressedLength: 1e6,",
    test: "credentials/sealed.test.ts",
  },
  {
    rule: "a link leads no download out of its directory",
    file: "cli/files/get-prefix.ts",
    find: "await refuseWayOut(folder, path);",
    replace: "",
    test: "cli/commands/objects/directories.test.ts",
  },
  {
    rule: "a store's names for failures fill no batch",
    file: "batches/state/scripts/finish-chunk.lua",
    find: "call('HLEN', keys.errors) >= 100",
    replace: "call('HLEN', keys.errors) < 0",
    test: "batches/run/finish.test.ts",
  },
  {
    rule: "a store's names for failures make no series without end",
    file: "worker/monitoring/metrics.ts",
    find: "foreign.size >= MOST_FOREIGN || ",
    replace: "",
    test: "worker/monitoring/metrics.test.ts",
  },
];
