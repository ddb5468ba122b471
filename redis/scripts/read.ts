import { readFileSync } from "node:fs";
import { readHeader } from "./header.ts";

/** The texts of a script. */
export type ScriptTexts = {
  /** The file's name, for errors. */
  readonly name: string;
  readonly main: string;
  /** What goes before it. */
  readonly used: readonly string[];
};

/** Reads a script from the sources. In what is published the build puts these texts where the URL stands, so an app's bundler has no file to find. */
export function readScript(file: URL): ScriptTexts {
  const main = readFileSync(file, "utf8");
  const used = readHeader(main).uses.map((other) => readFileSync(new URL(other, file), "utf8"));
  return { name: file.pathname.split("/").at(-1) ?? file.pathname, main, used };
}
