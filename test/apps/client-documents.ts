import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../clients/command.ts";
import { startStack } from "../stack.ts";
import type { Packed } from "./packed.ts";

const APP = `
import { openDocumentStore } from "@bucketline/client/documents";
const { ENDPOINT, KEY, SECRET } = process.env;
const credentials = async () => ({ accessKeyId: KEY, secretAccessKey: SECRET });
const store = await openDocumentStore("s3://documents/of-the-client", { s3: () => ({ endpoint: ENDPOINT, region: "us-east-1", credentials }) });
const { size } = await store.write(Buffer.alloc(1 << 20), { name: "zeros" });
console.log(size);
await store.close();
`;

/** The thin client with nothing but the AWS SDK beside it, as its README says, writes a document into a bucket. */
export async function clientDocuments({ root, client, node, install }: Packed): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  }; // ours
  const sdk = `@aws-sdk/client-s3@${dependencies["@aws-sdk/client-s3"]}`;
  const cwd = await install("client-documents", [client, sdk]);
  await writeFile(join(cwd, "app.mjs"), APP);
  await using stack = await startStack();
  stack.sandbox.createBucket("documents");
  const { accessKeyId: KEY, secretAccessKey: SECRET } = stack.sandbox.credentials;
  const env = { ...process.env, ENDPOINT: stack.sandbox.endpoint, KEY, SECRET };
  const said = await command(node, ["app.mjs"], { cwd, timeout: 60_000, env });
  if (said !== "1048576\n" || stack.sandbox.keys("documents").length === 0) throw new Error(said);
  return `with ${sdk} alone`;
}
