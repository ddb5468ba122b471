import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The packed packages, and how an app gets them. */
export type Packed = {
  /** The project. */
  readonly root: string;
  /** Tarballs. */
  readonly main: string;
  readonly client: string;
  /** What the apps run on. */
  readonly node: string;
  readonly install: (name: string, packages: readonly string[]) => Promise<string>;
};

/** The first fenced code of that language on a page. */
export async function snippet(root: string, page: string, language: string): Promise<string> {
  const text = await readFile(join(root, page), "utf8");
  const code = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "m").exec(text)?.[1];
  if (code === undefined) throw new Error(`${page} shows no code in ${language}`);
  return code;
}
