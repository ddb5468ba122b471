import crypto from "node:crypto";
import { Detector, type IMapFrame, type IStore, weak } from "@jscpd/core";
import { Tokenizer } from "@jscpd/tokenizer";
import { parseSync } from "oxc-parser";

/** Shorter passages are how code of one style looks. */
const MIN_LINES = 6;

export type SourceText = { readonly path: string; readonly text: string };

export type Duplicate = {
  /** Stays the same while lines are added above: both files, and the first whole line that is in both. */
  readonly name: string;
  /** For a person who has to find them. */
  readonly places: string;
};

/** Passages of six lines and more that stand twice, comments and imports left out. */
export async function duplicatesIn(
  files: readonly SourceText[],
  { minTokens }: { readonly minTokens: number },
): Promise<readonly Duplicate[]> {
  const options = { minLines: MIN_LINES, minTokens, maxLines: Infinity, mode: weak, hashFunction: fastHash };
  const detector = new Detector(new Tokenizer(), new Frames(), [], options);
  const found: Duplicate[] = [];
  for (const { path, text } of files) {
    const code = withoutImports(path, text);
    // One after the other: each is compared with those before it.
    for (const { duplicationA: here, duplicationB: there } of await detector.detect(path, code, "typescript")) {
      const [, ...whole] = code.slice(...here.range).split("\n");
      const line = whole.map((one) => one.trim()).find((one) => /\w/.test(one)) ?? "";
      const places = [here, there].map(({ sourceId, start, end }) => `${sourceId}:${start.line}-${end.line}`);
      found.push({ name: `${path} ~ ${there.sourceId}: ${line}`, places: places.join(" ~ ") });
    }
  }
  return found;
}

/** What jscpd has seen. Its own store makes an error with a stack for each passage that is new, which is most of the time that it takes. */
class Frames implements IStore<IMapFrame> {
  readonly #frames = new Map<string, IMapFrame>();
  readonly #unknown = new Error("not seen before");

  namespace(): void {}

  async get(key: string): Promise<IMapFrame> {
    const frame = this.#frames.get(key);
    if (frame === undefined) throw this.#unknown;
    return frame;
  }

  async set(key: string, frame: IMapFrame): Promise<IMapFrame> {
    this.#frames.set(key, frame);
    return frame;
  }

  close(): void {}
}

/** jscpd wants at least 20 characters. */
function fastHash(value: string): string {
  return crypto.hash("md5", value, "base64");
}

/** Two files that use the same say so in the same lines. */
function withoutImports(path: string, text: string): string {
  let code = text;
  for (const { start, end } of parseSync(path, text).module.staticImports) {
    code = code.slice(0, start) + code.slice(start, end).replace(/[^\n]/g, " ") + code.slice(end);
  }
  return code;
}
