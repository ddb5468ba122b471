const UNRELEASED = /^## Unreleased\n+([^]*?)(?=^## |$(?![^]))/m;

/**
 * Gives the lines under "Unreleased" to a version, beside what changesets wrote of it, and leaves an empty "Unreleased" on top.
 *
 * @param text the changelog
 * @param version as in package.json
 * @param day as YYYY-MM-DD
 */
export function nameUnreleased(text: string, version: string, day: string): string {
  const lines = UNRELEASED.exec(text)?.[1]?.trim() ?? "";
  const rest = text.replace(UNRELEASED, "");
  const own = new RegExp(`^## ${version.replaceAll(".", "\\.")}(?: .*)?\\n+([^]*?)(?=^## |$(?![^]))`, "m");
  const written = own.exec(rest)?.[1]?.trim() ?? "";
  const [title = "# Changelog", ...older] = rest.replace(own, "").split(/\n(?=## )/);
  const entry = [`## ${version} (${day})`, written, lines].filter((part) => part !== "").join("\n\n");
  return `${[title.trim(), "## Unreleased", entry, ...older.map((part) => part.trim())].join("\n\n")}\n`;
}
