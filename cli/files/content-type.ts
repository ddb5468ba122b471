import mime from "mime";

/** The content type that a file's name stands for, as browsers and other tools tell it; `undefined` for an unknown ending. */
export function contentTypeOf(name: string): string | undefined {
  return mime.getType(name) ?? undefined;
}
