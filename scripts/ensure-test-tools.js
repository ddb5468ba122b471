import { existsSync } from "node:fs";
import { aptInstall } from "./apt-install.js";
import { findOnPath } from "./find-on-path.js";

/** Where the browser tests look; the same list as in test/browser.ts. */
const BROWSERS = [
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

const TOOLS = [
  {
    what: "a Chromium for the tests of the dashboard's pages",
    isThere: () => BROWSERS.some((path) => existsSync(path)),
    debian: "chromium-headless-shell",
    // Where the distribution has none without a window.
    otherwise: "chromium",
    choices: `install chromium or google-chrome so that it is at one of ${BROWSERS.join(", ")}`,
  },
  {
    what: "python3 for the test of an app in Python",
    isThere: () => findOnPath("python3") !== undefined,
    debian: "python3",
    choices: "install python3 so that it is on the PATH",
  },
  {
    what: "nginx for the tests of the dashboard behind a proxy",
    isThere: () => existsSync("/usr/sbin/nginx") || findOnPath("nginx") !== undefined,
    debian: "nginx",
    choices: "install nginx so that it is on the PATH or at /usr/sbin/nginx",
  },
  {
    what: "openssl for the certificates of those tests",
    isThere: () => findOnPath("openssl") !== undefined,
    debian: "openssl",
    choices: "install openssl so that it is on the PATH",
  },
  {
    what: "the compiler of Lua 5.1 for the test of Redis' scripts",
    isThere: () => ["luac", "luac5.1", "luac5.3", "luac5.4"].some((name) => findOnPath(name) !== undefined),
    debian: "lua5.1",
    choices: "install lua5.1 so that luac5.1 or luac is on the PATH",
  },
  ...["zsh", "fish"].map((shell) => ({
    what: `${shell} for the test of its completion`,
    isThere: () => findOnPath(shell) !== undefined,
    debian: shell,
    choices: `install ${shell} so that it is on the PATH`,
  })),
];

/**
 * What the tests need besides Redis: what is there, else what can be installed now (root on Debian or Ubuntu). What is then still
 * missing fails the run in CI, where no test may be skipped, and is named everywhere else: its tests are reported as skipped.
 */
export function ensureTestTools({ ci = Boolean(process.env.CI) } = {}) {
  const missing = TOOLS.filter(({ isThere }) => !isThere());
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && findOnPath("apt-get")) {
    const install = (names) => {
      process.stdout.write(`setup: installing ${names.join(" and ")} with apt-get ...\n`);
      const failed = aptInstall(names, { services: ["nginx.service"] });
      if (failed) process.stderr.write(`setup: ${failed}\n`);
      return failed;
    };
    // One name that apt does not know fails all of them.
    const failed = install(missing.map(({ debian }) => debian));
    if (failed && missing.some(({ otherwise }) => otherwise))
      install(missing.map(({ debian, otherwise = debian }) => otherwise));
  }
  const lacking = missing.filter(({ isThere }) => !isThere());
  if (lacking.length === 0) return;
  const lines = lacking.map(({ what, choices }) => `  - ${what}: ${choices}`).join("\n");
  const sentence = `the tests need what was not found and could not be installed:\n${lines}`;
  if (ci)
    throw new Error(
      `${sentence}\nIn CI no test may be skipped. Outside CI these tests are skipped, and counted as skipped.`,
    );
  process.stdout.write(`setup: ${sentence}\nsetup: their tests will be skipped, and counted as skipped\n`);
}
