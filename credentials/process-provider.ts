import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { AwsCredentialIdentityProvider } from "@smithy/types";
import { z } from "zod";
import { type Asked, credentialsUnavailable } from "./unavailable.ts";

/** A helper that talks to an identity service has this long. */
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 * 1024;

/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
const Output = z.object({
  Version: z.literal(1),
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  SessionToken: z.string().min(1).optional(),
  Expiration: z.iso.datetime({ offset: true }).optional(),
});

const run = promisify(execFile);

/** Credentials from a helper program, such as AWS's `aws_signing_helper` for IAM Roles Anywhere. No shell takes part. */
export function processProvider(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  asked: Asked,
): AwsCredentialIdentityProvider {
  const [program = "", ...args] = command;
  return async () => {
    const output = Output.safeParse(parseJson(await outputOf(program, args, { env, asked })));
    if (!output.success) {
      const fields = [...new Set(output.error.issues.map((issue) => issue.path.join(".") || "the whole"))].join(", ");
      throw credentialsUnavailable(asked, `the output of ${program} is not version 1 of AWS's format: ${fields}`, {
        retryable: false,
      });
    }
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = output.data;
    const expiration = Expiration === undefined ? undefined : new Date(Expiration);
    if (expiration !== undefined && expiration.getTime() <= Date.now())
      throw credentialsUnavailable(asked, `${program} returned expired credentials`, { retryable: true });
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken !== undefined && { sessionToken: SessionToken }),
      ...(expiration !== undefined && { expiration }),
    };
  };
}

async function outputOf(
  program: string,
  args: readonly string[],
  { env, asked }: { readonly env: NodeJS.ProcessEnv; readonly asked: Asked },
): Promise<string> {
  try {
    const { stdout } = await run(program, args, {
      env,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
      windowsHide: true,
    });
    return stdout;
  } catch (error) {
    // Its message quotes arguments and standard error, either of which may hold a secret.
    const { code, killed } = error as { readonly code?: unknown; readonly killed?: boolean }; // what execFile rejects with
    const how = killed === true ? "was stopped: too slow, or too much output" : `failed (${String(code)})`;
    throw credentialsUnavailable(asked, `${program} ${how}`, {
      retryable: typeof code === "number" || killed === true,
    });
  }
}

/** `undefined` fails the schema; V8's own message would quote the output. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
