import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchContext } from "../benchmark.ts";
import type { StoreAddress } from "./open.ts";
import { findProgram, runProgram } from "./run-program.ts";

/** A program that moves one object between a file and a store. */
export type TransferTool = {
  readonly name: string;
  get(bucket: string, key: string, file: string): Promise<unknown>;
  put(file: string, bucket: string, key: string): Promise<unknown>;
  /** Between two stores, where the program can. */
  copy?(key: string, bucket: string, to: string): Promise<unknown>;
};

type Found = { readonly tools: readonly TransferTool[]; readonly notes: readonly string[] };

/** Those on the PATH, with the settings that they bring. `other` is a second store, reached with the same keys. */
export async function findTransferTools(
  { path, stack }: BenchContext,
  { address, other, folder }: { readonly address: StoreAddress; readonly other: string; readonly folder: string },
): Promise<Found> {
  const base = { PATH: path, HOME: folder };
  const { accessKeyId, secretAccessKey } = address.credentials;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: address.region };
  const tools: TransferTool[] = [];
  const notes: string[] = [];
  const run = (program: string, env: NodeJS.ProcessEnv) => (args: readonly string[]) =>
    runProgram(program, args, { env: { ...base, ...env }, stack });
  const rclone = findProgram("rclone", path);
  if (rclone !== undefined) {
    const config = join(folder, "rclone-lines.conf");
    await writeFile(config, [remote("lab", address.endpoint, address), remote("other", other, address)].join("\n"));
    const flags = ["--s3-no-check-bucket", "--retries", "1", "--config", config];
    const call = run(rclone, {});
    tools.push({
      name: "rclone",
      get: (bucket, key, file) => call(["copyto", ...flags, `lab:${bucket}/${key}`, file]),
      put: (file, bucket, key) => call(["copyto", ...flags, file, `lab:${bucket}/${key}`]),
      copy: (key, bucket, to) => call(["copyto", ...flags, `lab:in/${key}`, `other:${bucket}/${to}`]),
    });
  }
  const aws = findProgram("aws", path);
  if (aws !== undefined) {
    const call = run(aws, {
      ...keys,
      AWS_CONFIG_FILE: join(folder, "no-aws-config"),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "no-aws-credentials"),
      AWS_EC2_METADATA_DISABLED: "true",
    });
    const flags = ["s3", "cp", "--only-show-errors", "--endpoint-url", address.endpoint];
    tools.push({
      name: "aws s3 cp",
      get: (bucket, key, file) => call([...flags, `s3://${bucket}/${key}`, file]),
      put: (file, bucket, key) => call([...flags, file, `s3://${bucket}/${key}`]),
    });
  }
  const s5cmd = findProgram("s5cmd", path);
  if (s5cmd !== undefined) {
    const call = run(s5cmd, keys);
    const flags = ["--endpoint-url", address.endpoint, "cp"];
    tools.push({
      name: "s5cmd",
      get: (bucket, key, file) => call([...flags, `s3://${bucket}/${key}`, file]),
      put: (file, bucket, key) => call([...flags, file, `s3://${bucket}/${key}`]),
    });
  }
  for (const name of ["rclone", "aws", "s5cmd"])
    if (findProgram(name, path) === undefined) notes.push(`${name} is not on the PATH.`);
  return { tools, notes };
}

function remote(name: string, endpoint: string, { region, credentials }: StoreAddress): string {
  const keys = `access_key_id = ${credentials.accessKeyId}\nsecret_access_key = ${credentials.secretAccessKey}`;
  return `[${name}]\ntype = s3\nprovider = Other\nendpoint = ${endpoint}\nregion = ${region}\n${keys}\n`;
}
