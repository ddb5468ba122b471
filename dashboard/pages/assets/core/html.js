import htm from "htm";
import { h } from "preact";

/**
 * Markup as a template. Values become text nodes and properties: data is never read as HTML.
 * @type {(strings: TemplateStringsArray, ...values: unknown[]) => import("preact").VNode}
 */
// One element at the root of each template, so never an array.
export const html = /** @type {never} */ (htm.bind(h));
