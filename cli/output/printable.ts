/**
 * What a terminal would obey instead of show: C0 and C1 controls, line and paragraph separators, marks that turn the direction of
 * text, and halves of surrogate pairs. Keys and messages of stores may hold any of them.
 */
const OBEYED =
  /[\p{Control}\p{Surrogate}\p{Line_Separator}\p{Paragraph_Separator}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text for one line of a terminal: whatever it would obey is shown as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, escaped);
}

/** As {@link printable}, for text of several lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** JSON on one line that any parser reads back, and no terminal obeys. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(OBEYED, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
