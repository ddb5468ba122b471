import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../clients/command.ts";
import { type Stack, startStack } from "../stack.ts";
import type { Packed } from "./packed.ts";

const VERSIONS = ["esbuild@0.28.2", "webpack@5.113.0", "webpack-cli@7.3.1"];
/** Commands that make NAME.cjs of app.mjs. */
const BUNDLERS = {
  esbuild: ["app.mjs", "--bundle", "--minify", "--platform=node", "--format=cjs", "--outfile=esbuild.cjs"],
  webpack: ["--config", "webpack.config.cjs"],
} as const;
const WEBPACK = `module.exports = {
  mode: "production", target: "node", entry: "./app.mjs", output: { path: __dirname, filename: "webpack.cjs" },
  plugins: [new (require("webpack").optimize.LimitChunkCountPlugin)({ maxChunks: 1 })],
};
`;

const APP = `
import { createProducer } from "bucketline";
async function main() {
  const producer = createProducer({ redis: process.env.REDIS_URL, prefix: process.env.BUCKETLINE_PREFIX, documents: process.env.DOCUMENTS });
  const job = await producer.enqueue("list-buckets", {}, { idempotencyKey: process.argv[1] });
  const { buckets } = await job.result({ timeout: 30_000 });
  const document = await producer.documents.write(Buffer.alloc(3 << 20), { name: "zeros", contentType: "text/plain" });
  console.log(buckets.map(({ name }) => name).join(), document.size);
  await producer.close();
}
void main();
`;

const WORKER = `
import { createWorker, parseWorkerConfig } from "bucketline/worker";
import { pino } from "pino";
async function main() {
  const worker = await createWorker(parseWorkerConfig(process.env), { log: pino({ level: "warn" }) });
  console.log("works");
  process.stdin.resume().once("end", () => worker.close());
}
void main();
`;

type Bundled = Pick<Packed, "node" | "install"> & { readonly tarball: string; readonly name: string };

/** An app of a package that is one file, by each bundler: it asks for a job and writes a document, from a folder without node_modules. */
export async function bundledApps({ tarball, name, node, install }: Bundled): Promise<string> {
  const { cwd, alone } = await bundlers(install, `bundles-${name.replaceAll(/\W/g, "")}`, tarball);
  await writeFile(join(cwd, "app.mjs"), APP.replace("bucketline", name));
  await writeFile(join(cwd, "webpack.config.cjs"), WEBPACK);
  await using stack = await startStack();
  stack.sandbox.createBucket("inbox");
  await stack.startWorker();
  for (const [bundler, args] of Object.entries(BUNDLERS)) {
    await command(join(cwd, "node_modules/.bin", bundler), args, { cwd });
    await copyFile(join(cwd, `${bundler}.cjs`), join(alone, `${bundler}.cjs`));
    const env = settingsOf(stack);
    const said = await command(node, [join(alone, `${bundler}.cjs`)], { cwd: alone, timeout: 60_000, env });
    if (said !== "inbox 3145728\n") throw new Error(`${bundler}: ${said}`);
  }
  return `${Object.keys(BUNDLERS).join(" and ")}, run without node_modules`;
}

/** A worker that is one file, and does a job. */
export async function bundledWorker({ main, node, install }: Packed): Promise<string> {
  const { cwd, alone } = await bundlers(install, "bundled-worker", main);
  await writeFile(join(cwd, "app.mjs"), WORKER);
  await command(join(cwd, "node_modules/.bin/esbuild"), BUNDLERS.esbuild, { cwd });
  await copyFile(join(cwd, "esbuild.cjs"), join(alone, "worker.cjs"));
  await using stack = await startStack();
  stack.sandbox.createBucket("inbox");
  const { accessKeyId, secretAccessKey } = stack.sandbox.credentials;
  const env = {
    ...settingsOf(stack),
    AWS_ENDPOINT_URL_S3: stack.sandbox.endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const worker = spawn(node, [join(alone, "worker.cjs")], { cwd: alone, stdio: ["pipe", "inherit", "inherit"], env });
  try {
    const { buckets } = await stack.producer.run("list-buckets", {}, { timeout: 60_000 });
    if (buckets[0]?.name !== "inbox") throw new Error(`it found ${JSON.stringify(buckets)}`);
  } finally {
    worker.stdin.end();
    if (worker.exitCode === null) await once(worker, "exit");
  }
  return "esbuild, run without node_modules";
}

async function bundlers(install: Packed["install"], name: string, tarball: string) {
  const cwd = await install(name, [tarball, ...VERSIONS]);
  const alone = join(cwd, "../alone", name);
  await mkdir(alone, { recursive: true });
  return { cwd, alone };
}

function settingsOf({ redis, prefix, documents }: Stack) {
  return {
    ...process.env,
    REDIS_URL: redis.url,
    BUCKETLINE_PREFIX: prefix,
    DOCUMENTS: documents,
    DOCUMENTS_URL: documents,
  };
}
