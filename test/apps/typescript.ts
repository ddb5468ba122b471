import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../clients/command.ts";
import type { Packed } from "./packed.ts";

const VERSIONS = ["5.6.3", "5.7.3", "5.8.3", "5.9.3", "6.0", "7.0.2"];

const SETTINGS = {
  "NodeNext, ES module": { type: "module", module: "nodenext", moduleResolution: "nodenext" },
  bundler: { type: "module", module: "esnext", moduleResolution: "bundler" },
  "NodeNext, CommonJS": { type: "commonjs", module: "nodenext", moduleResolution: "nodenext" },
  "node16, CommonJS": { type: "commonjs", module: "node16", moduleResolution: "node16" },
  "node10, CommonJS": { type: "commonjs", module: "commonjs", moduleResolution: "node10" },
} as const;

const APP = `
import { ActivityError, createProducer } from "PACKAGE";
import type { ActivityInput } from "PACKAGE/jobs";
import { openDocumentStore } from "PACKAGE/documents";

export const input: ActivityInput<"list-objects"> = { bucket: "inbox" };
export async function names(): Promise<string[]> {
  const producer = createProducer({ redis: "redis://127.0.0.1:6379" });
  try {
    const { objects } = await producer.run("list-objects", input, { timeout: 30_000 });
    // @ts-expect-error: results are typed by the activity
    void objects[0].no_such_field;
    return objects.map(({ key }) => key);
  } catch (error) {
    throw error instanceof ActivityError ? new Error(error.code) : error;
  } finally {
    await producer.close();
  }
}
void openDocumentStore;
`;

const BEGIN = "<!-- measured: npm run apps -- --typescript -->";
const END = "<!-- /measured -->";

/** Compiles an app with every version and setting, and writes what came of it into docs/typescript.md. */
export async function typescriptTable({ root, main, client, install }: Packed): Promise<string> {
  const lines = [
    `| TypeScript | ${Object.keys(SETTINGS).join(" | ")} |`,
    `|---|${Object.keys(SETTINGS)
      .map(() => "---|")
      .join("")}`,
  ];
  for (const version of VERSIONS) {
    // Each by itself: one could find what the other brings along.
    const compilers = [`typescript@${version}`, "@types/node@24"];
    const apps = [
      { name: "bucketline", cwd: await install(`typescript-${version}`, [main, ...compilers]) },
      { name: "@bucketline/client", cwd: await install(`typescript-${version}-client`, [client, ...compilers]) },
    ];
    const cells: string[] = [];
    for (const setting of Object.values(SETTINGS)) cells.push(await cell(apps, setting));
    lines.push(
      `| ${version.replace(/\.\d+$/, (end) => (version.split(".").length === 3 ? "" : end))} | ${cells.join(" | ")} |`,
    );
    console.log(lines.at(-1));
  }
  const page = join(root, "docs/typescript.md");
  const text = await readFile(page, "utf8");
  const [before = "", rest = ""] = text.split(BEGIN);
  await writeFile(page, `${before}${BEGIN}\n\n${lines.join("\n")}\n\n${END}${rest.split(END)[1] ?? ""}`);
  return `${VERSIONS.length} versions in ${Object.keys(SETTINGS).length} settings`;
}

type App = { readonly name: string; readonly cwd: string };
type Setting = (typeof SETTINGS)[keyof typeof SETTINGS];

/** Both packages, with `skipLibCheck` and, where that works, without. */
async function cell(apps: readonly App[], setting: Setting): Promise<string> {
  const come = async (skipLibCheck: boolean) => {
    const found = [];
    for (const app of apps) found.push(await compiles(app, setting, skipLibCheck));
    return found.find((each) => each !== "fine") ?? "fine";
  };
  const whole = await come(false);
  if (whole === "gone") return "TypeScript has no such setting any more";
  if (whole === "fine") return "yes";
  return (await come(true)) === "fine" ? "with `skipLibCheck`" : "no";
}

async function compiles({ name, cwd }: App, { type, ...options }: Setting, skipLibCheck: boolean) {
  const folder = join(cwd, `${type}-${options.module}-${options.moduleResolution}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ type }));
  await writeFile(join(folder, "app.ts"), APP.replaceAll("PACKAGE", name));
  const always = { target: "es2022", strict: true, esModuleInterop: true, noEmit: true, types: ["node"] };
  const compilerOptions = { ...always, skipLibCheck, ...options };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const said = await command("node_modules/.bin/tsc", ["-p", folder], { cwd }).then(
    () => "",
    (error: Error) => error.message,
  );
  if (said === "") return "fine";
  console.log(`${folder}, skipLibCheck ${skipLibCheck}: ${said.split("\n").slice(0, 4).join("\n  ")}`);
  return /TS(5102|5108|5107)/.test(said) ? "gone" : "no";
}
