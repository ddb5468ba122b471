import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sourcePaths } from "./architecture/read-source.ts";

const root = join(import.meta.dirname, "..");
const files = sourcePaths(root);
const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");

/** Files by their endings and folders by their slash, as `create.ts`, `config/` or `s3/own/bucket.ts`. */
function namesIn(text: string): string[] {
  return [
    ...text.matchAll(/(?<![\w./-])(?:[\w-]+\/)*(?:[\w-]+\/|[\w-]+(?:\.[\w-]+)*\.(?:ts|js|lua|md))(?![\w*])/g),
  ].map(([name]) => name);
}

/** Whether something of this name is there: as it stands, or anywhere below one of these folders. */
function isThere(name: string, below: readonly string[]): boolean {
  if (existsSync(join(root, name))) return true;
  const end = name.replace(/^\.\//, "");
  return files.some((path) => below.some((room) => path.startsWith(room) && `/${path}`.includes(`/${end}`)));
}

/** The map's lines with the room that each tells of; what is indented tells of the room above. */
function linesOfMap(): { readonly room: string; readonly line: string }[] {
  const [, map = ""] = /^```text\n([^]*?)^```/m.exec(page) ?? [];
  let room = "";
  return map.split("\n").flatMap((line) => {
    room = /^[\w-]+\//.exec(line)?.[0] ?? room;
    return line === "" ? [] : [{ room, line }];
  });
}

test("every file and folder that the map of ARCHITECTURE.md names is in its room", () => {
  const named = linesOfMap().flatMap(({ room, line }) => namesIn(line).map((name) => ({ room, name })));
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(({ room, name }) => !isThere(name, [room]))).toEqual([]);
});

test("every file and folder that its sentences name is there", () => {
  const spans = [...page.replaceAll(/^```[^]*?^```/gm, "").matchAll(/`([^`\n]+)`|\*\*([^*\n]+)\*\*/g)];
  const paths = spans
    .map(([, code, bold]) => code ?? bold ?? "")
    .filter((text) => /^[a-z][\w.-]*\/[\w./-]*$|^[\w-]+\.ts$/.test(text));
  expect(paths.length).toBeGreaterThan(15);
  expect(paths.filter((path) => !isThere(path, path.includes("/") ? [] : [""]))).toEqual([]);
});

const ROOMS = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && files.some((path) => path.startsWith(`${entry.name}/`)))
  .map(({ name }) => name);

test("the map draws every room", () => {
  const drawn = linesOfMap().flatMap(({ line }) => namesIn(line));
  expect(ROOMS.filter((room) => !drawn.includes(`${room}/`))).toEqual([]);
});

test.each(ROOMS)(
  "%s/ opens with at most ten lines that say where to begin reading, in files that are there",
  (room) => {
    const opening = readFileSync(join(root, room, "README.md"), "utf8");
    expect(opening.trimEnd().split("\n").length).toBeLessThanOrEqual(10);
    const names = namesIn(opening).filter((name) => name !== `${room}/`);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !isThere(name, [`${room}/`]))).toEqual([]);
  },
);
