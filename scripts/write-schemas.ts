import { mkdir, rm, writeFile } from "node:fs/promises";
import { jsonSchemas } from "../jobs/json-schemas.ts";

const folder = new URL("../docs/schemas/", import.meta.url);
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const [name, text] of jsonSchemas()) await writeFile(new URL(name, folder), text);
