import { homedir } from "node:os";

/**
 * Gives a process a home where it has none: in a container without HOME, as a user that no list of users knows, Node fails when asked for it, and the
 * AWS SDK asks for it before each first request to look for `.aws/config`.
 */
export function assureHome(env: NodeJS.ProcessEnv, home: () => string = homedir): void {
  try {
    home();
  } catch {
    env["HOME"] = "/";
  }
}
