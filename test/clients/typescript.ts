import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clients, command } from "./command.ts";

const PACKAGES = ["openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3"];

/** What an app writes; the types hold it to the document. */
const APP = `
import createClient from "openapi-fetch";
import type { components, paths } from "./bucketline.js";

const [url, token] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl: url!, headers: { authorization: "Bearer " + token } });
const content = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);

type Job = components["schemas"]["Job"];
const ended = async (activity: "put-object" | "get-object", id: string): Promise<Job> => {
  for (;;) {
    const { data, error, response } = await api.GET("/api/jobs/{activity}/{id}/wait", { params: { path: { activity, id }, query: { timeout: 20 } } });
    if (error || !data) throw new Error(JSON.stringify(error));
    if (response.status === 200) return data;
  }
};

const { data: document, error } = await api.POST("/api/documents", {
  params: { query: { name: "typed.bin", ttl: 3600, deleteAfterDownload: true } },
  body: content as unknown as string,
  bodySerializer: (body) => body as unknown as BodyInit,
  headers: { "content-type": "application/octet-stream" },
});
if (!document) throw new Error(JSON.stringify(error));
const { data: put } = await api.POST("/api/activities/put-object/jobs", { body: { bucket: "in", key: "typed.bin", document } });
const stored = await ended("put-object", put!.id);
// Told by the activity: the type of the result is that of a put-object job here.
if (stored.activity !== "put-object" || stored.result?.object.size !== content.length) throw new Error(JSON.stringify(stored));
const { data: get } = await api.POST("/api/activities/get-object/jobs", { body: { object: { bucket: "in", key: "typed.bin" } }, params: { query: { attempts: 2 } } });
const read = await ended("get-object", get!.id);
if (read.activity !== "get-object" || !read.result) throw new Error(JSON.stringify(read));
const { data: back } = await api.GET("/api/documents/{id}", { params: { path: { id: read.result.document.id } }, parseAs: "arrayBuffer" });
if (Buffer.compare(Buffer.from(back as ArrayBuffer), content) !== 0) throw new Error("other bytes came back");
const { data: started, error: refused } = await api.POST("/api/batches", { body: { operation: "delete", source: { bucket: "in", prefix: "typed" } } });
if (!started) throw new Error(JSON.stringify(refused));
for (let state: string = started.state; state !== "completed"; ) {
  const { data: batch } = await api.GET("/api/batches/{id}", { params: { path: { id: started.id } } });
  state = batch!.state;
  if (state === "failed") throw new Error(JSON.stringify(batch));
}
console.log("done");
`;

/** Else what has a default counts as required, in requests too. */
const FLAGS = ["--default-non-nullable", "false"];

const TSCONFIG = {
  compilerOptions: {
    module: "nodenext",
    target: "es2022",
    strict: true,
    skipLibCheck: true,
    types: ["node"],
    outDir: "out",
  },
  include: ["app.ts"],
};

/** openapi-typescript's types with openapi-fetch, checked by TypeScript and run. */
export async function typescriptClient({ folder, document, url, token }: Clients): Promise<void> {
  const cwd = join(folder, "typescript");
  await mkdir(cwd);
  await writeFile(join(cwd, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  await writeFile(join(cwd, "tsconfig.json"), JSON.stringify(TSCONFIG));
  await writeFile(join(cwd, "app.ts"), APP);
  await command("npm", ["install", "--no-audit", "--no-fund", "--silent", ...PACKAGES, "@types/node@24.10.1"], { cwd });
  await command("node_modules/.bin/openapi-typescript", [document, "-o", "bucketline.d.ts", ...FLAGS], { cwd });
  await command("node_modules/.bin/tsc", ["-p", "."], { cwd });
  await command(process.execPath, ["out/app.js", url, token], { cwd, timeout: 60_000 });
}
