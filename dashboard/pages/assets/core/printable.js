/**
 * What a reader would obey instead of show: controls, line and paragraph separators, marks that turn the direction of text, and halves
 * of surrogate pairs. A key that holds them could pose as another one. The same characters as on the command line.
 */
const OBEYED =
  /[\p{Control}\p{Surrogate}\p{Line_Separator}\p{Paragraph_Separator}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * Text of one line: whatever a reader would obey is shown as `\u001b`.
 * @param {string} text
 */
export const printable = (text) => text.replaceAll(OBEYED, escaped);

/**
 * As {@link printable}, for text of several lines such as JSON.
 * @param {string} text
 */
export const printableLines = (text) => text.split("\n").map(printable).join("\n");

/** @param {string} character */
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** How many characters at the end of a name stay in sight: enough for what tells one object from its neighbours. */
const END = 24;

/**
 * A name in two parts, of which only the first is cut where room is short: names differ at their end.
 * @param {string} text
 * @returns {[start: string, end: string]}
 */
export function startAndEnd(text) {
  const characters = Array.from(printable(text));
  if (characters.length <= END) return ["", characters.join("")];
  return [characters.slice(0, -END).join(""), characters.slice(-END).join("")];
}
