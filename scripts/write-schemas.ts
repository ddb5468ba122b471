import { mkdir, rm, writeFile } from "node:fs/promises";
import { activitiesPage } from "./activities-page.ts";
import { renderSchema, schemaFiles } from "./schema-files.ts";

const docs = new URL("../docs/", import.meta.url);
const folder = new URL("schemas/", docs);
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const [name, schema] of schemaFiles()) await writeFile(new URL(name, folder), renderSchema(schema));
await writeFile(new URL("activities.md", docs), activitiesPage());
