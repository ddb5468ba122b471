import { rm, writeFile } from "node:fs/promises";
import { Command } from "commander";
import type { Environment } from "../environment.ts";

/** `bucketline seal-keys`: the key pair of sealed credentials. */
export function sealKeysCommand(_environment: Environment): Command {
  return new Command("seal-keys")
    .description("make a key pair for sealed credentials; files that are there are kept")
    .requiredOption("--private <file>", "for the workers: BUCKETLINE_SEAL_KEYS_FILE; only you may read it")
    .requiredOption("--public <file>", "for apps that seal their credentials")
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline seal-keys --private seal-keys.json --public seal-public-keys.json`,
    )
    .action(async (files: { readonly private: string; readonly public: string }) => {
      const { generateSealKeys } = await import("../../worker/inspect.ts");
      const { privateKeys, publicKeys } = await generateSealKeys();
      // Credentials may have been sealed to keys that are there: they are never written over.
      await writeFile(files.private, `${JSON.stringify(privateKeys)}\n`, { mode: 0o600, flag: "wx" });
      try {
        await writeFile(files.public, `${JSON.stringify(publicKeys)}\n`, { mode: 0o644, flag: "wx" });
      } catch (error) {
        await rm(files.private);
        throw error;
      }
      console.log(`private keys for the workers: ${files.private}\npublic keys for apps:         ${files.public}`);
    });
}
