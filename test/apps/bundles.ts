import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../clients/command.ts";
import { startStack } from "../stack.ts";
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

/** An app that is one file, by each bundler: it asks for a job and writes a document, from a folder without node_modules. */
export async function bundledApps({ main, node, install }: Packed): Promise<string> {
  const cwd = await install("bundles", [main, ...VERSIONS]);
  await writeFile(join(cwd, "app.mjs"), APP);
  await writeFile(join(cwd, "webpack.config.cjs"), WEBPACK);
  const alone = join(cwd, "../alone");
  await mkdir(alone);
  await using stack = await startStack();
  stack.sandbox.createBucket("inbox");
  await stack.startWorker();
  const env = {
    ...process.env,
    REDIS_URL: stack.redis.url,
    BUCKETLINE_PREFIX: stack.prefix,
    DOCUMENTS: stack.documents,
  };
  for (const [name, args] of Object.entries(BUNDLERS)) {
    await command(join(cwd, "node_modules/.bin", name), args, { cwd });
    await copyFile(join(cwd, `${name}.cjs`), join(alone, `${name}.cjs`));
    const said = await command(node, [join(alone, `${name}.cjs`)], { cwd: alone, timeout: 60_000, env });
    if (said !== "inbox 3145728\n") throw new Error(`${name}: ${said}`);
  }
  return `${Object.keys(BUNDLERS).join(" and ")}, run without node_modules`;
}
