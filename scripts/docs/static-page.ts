import { posix } from "node:path";

/**
 * A page of the site whose links lead to files, so that a browser can open it from a disk: there, an address from the root is none of the site.
 *
 * @param html the page
 * @param name where it lies in the site, such as `docs/producer.html`
 */
export function asStaticPage(html: string, name: string): string {
  const here = posix.dirname(name);
  return html.replaceAll(/(\s(?:href|src)=")\/([^"#]*)/g, (_, before: string, path: string) => {
    const target = path === "" ? "index.html" : path.endsWith("/") ? `${path}index.html` : path;
    return `${before}${posix.relative(here, target) || posix.basename(target)}`;
  });
}
