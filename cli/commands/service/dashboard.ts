import { text } from "node:stream/consumers";
import { Command } from "commander";
import { ActivityError } from "../../../model/activity-error.ts";
import type { Environment } from "../../environment.ts";

/** Shorter passwords are guessed; NIST SP 800-63B asks for at least 8. */
const LEAST_CHARACTERS = 8;

/** `bucketline dashboard`: configured by the environment alone. */
export function dashboardCommand(_environment: Environment): Command {
  return new Command("dashboard")
    .description("open the dashboard and the HTTP API; its configuration is the environment (docs/dashboard.md)")
    .addHelpText(
      "after",
      `
Examples:
  1. REDIS_URL=redis://127.0.0.1:6379 bucketline dashboard
  2. BUCKETLINE_DASHBOARD_PORT=9000 BUCKETLINE_DASHBOARD_READ_ONLY=true bucketline dashboard
  3. BUCKETLINE_DASHBOARD_HOST=0.0.0.0 BUCKETLINE_DASHBOARD_USERS_FILE=users bucketline dashboard`,
    )
    .action(async () => {
      await import("../../../dashboard/main.ts");
    })
    .addCommand(hashPasswordCommand())
    .addCommand(createTokenCommand());
}

function hashPasswordCommand(): Command {
  return new Command("hash-password")
    .description("hash a password for BUCKETLINE_DASHBOARD_USERS; the password is read from standard input, one line")
    .addHelpText("after", "\nExample:\n  1. printf '%s' 'correct horse battery' | bucketline dashboard hash-password")
    .action(async () => {
      if (process.stdin.isTTY) console.error("Type the password, then Enter and Ctrl-D (it is shown):");
      const password = (await text(process.stdin)).replace(/\r?\n$/, "");
      if (password.length < LEAST_CHARACTERS || /[\r\n]/.test(password))
        throw new ActivityError(
          "InvalidInput",
          `password: expected one line of at least ${LEAST_CHARACTERS} characters on standard input`,
        );
      const { hashPassword } = await import("../../../dashboard/password-hash.ts");
      console.log(await hashPassword(password));
    });
}

function createTokenCommand(): Command {
  return new Command("create-token")
    .description("make a bearer token for the HTTP API, and its hash for BUCKETLINE_DASHBOARD_TOKENS")
    .addHelpText("after", "\nExample:\n  1. bucketline dashboard create-token")
    .action(async () => {
      const { createToken } = await import("../../../dashboard/password-hash.ts");
      const { token, hash } = createToken();
      console.log(`token (for the app; shown once): ${token}\nhash (for the dashboard):         ${hash}`);
    });
}
