import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../clients/command.ts";
import { startStack } from "../stack.ts";
import { type Packed, snippet } from "./packed.ts";

const NEST = ["@nestjs/common@11", "@nestjs/core@11", "@nestjs/platform-express@11", "reflect-metadata@0.2", "rxjs@7"];
/** As `nest new` sets it up. */
const TSCONFIG = {
  compilerOptions: {
    module: "nodenext",
    target: "es2023",
    outDir: "dist",
    rootDir: ".",
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    strict: true,
    skipLibCheck: true,
    types: ["node"],
  },
  files: ["main.ts"],
};

const MAIN = `
import { start } from "./app";
async function main() {
  const app = await start(0);
  const url = (await app.getUrl()).replace("[::1]", "localhost");
  const ask = async (path: string) => JSON.stringify(await (await fetch(url + path)).json());
  console.log(await ask("/buckets"), await ask("/readyz"));
  await app.close();
}
void main();
`;

/** The app of docs/nestjs.md, compiled by TypeScript, in CommonJS as Nest's command line makes apps. */
export async function nestApp({ root, node, install, ...tarballs }: Packed, which: "main" | "client"): Promise<string> {
  const cwd = await install(`nest-${which}`, [tarballs[which], ...NEST, "typescript@5.9", "@types/node@24"]);
  const started = performance.now();
  const app = await snippet(root, "docs/nestjs.md", "ts");
  const from = which === "client" ? "@bucketline/client/nestjs" : "bucketline/nestjs";
  await writeFile(join(cwd, "app.ts"), app.replace("bucketline/nestjs", from));
  await writeFile(join(cwd, "main.ts"), MAIN);
  await writeFile(join(cwd, "tsconfig.json"), JSON.stringify(TSCONFIG));
  await command("node_modules/.bin/tsc", ["-p", "."], { cwd });
  await using stack = await startStack();
  stack.sandbox.createBucket("inbox");
  await stack.startWorker();
  const env = { ...process.env, REDIS_URL: stack.redis.url, BUCKETLINE_PREFIX: stack.prefix };
  const said = await command(node, ["dist/main.js"], { cwd, timeout: 60_000, env });
  if (!/\["inbox"\] \{"bucketline":\{"status":"up","milliseconds":/.test(said)) throw new Error(said);
  return `compiled and done ${((performance.now() - started) / 1000).toFixed(1)} s after the install`;
}
