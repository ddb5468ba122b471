import { XMLParser } from "fast-xml-parser";
import { S3Error } from "./s3-error.ts";

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
// oxlint-disable-next-line no-control-regex -- S3 writes these as numeric references, though XML 1.0 forbids most of them
const SPECIAL = /[&<>"\u0000-\u0008\u000b-\u001f]/;
// oxlint-disable-next-line no-control-regex -- as above
const SPECIALS = /[&<>"\u0000-\u0008\u000b-\u001f]/g;
const NAMED: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text for the inside of an element. Control characters become numeric references, as S3 writes them. */
export function escapeXml(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replace(SPECIALS, (found) => NAMED[found] ?? `&#x${found.charCodeAt(0).toString(16)};`);
}

/** One element; an undefined value leaves it out. */
export function element(name: string, value: string | number | boolean | undefined): string {
  if (value === undefined) return "";
  return `<${name}>${typeof value === "string" ? escapeXml(value) : value}</${name}>`;
}

/** A whole S3 answer: declaration, root element with S3's namespace, content. */
export function xmlDocument(root: string, content: string): string {
  return `${HEAD}<${root}${NAMESPACE}>${content}</${root}>`;
}

/** An error body: no namespace, as S3 sends it. */
export function errorDocument(code: string, message: string, elements: Record<string, string>): string {
  let content = element("Code", code) + element("Message", message);
  for (const [name, value] of Object.entries(elements)) content += element(name, value);
  return `${HEAD}<Error>${content}</Error>`;
}

/** An element of a parsed request: its text and its children by name. */
export type XmlElement = { text: string; children: Map<string, XmlElement[]> };

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  removeNSPrefix: true,
  trimValues: false,
  parseTagValue: false,
  // Entities are decoded here, exactly once: keys hold references such as &#xD; that must survive byte for byte.
  processEntities: false,
});

/** Parses a request body whose root element is `root`; anything else is MalformedXML. */
export function parseXml(body: Buffer, root: string): XmlElement {
  let nodes: unknown;
  try {
    nodes = parser.parse(body.toString("utf8"), true);
  } catch (cause) {
    throw malformed(cause);
  }
  const parsed = readChildren(nodes).children.get(root)?.[0];
  if (parsed === undefined) throw malformed();
  return parsed;
}

/** The text of a child, or undefined when there is none. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return parent.children.get(name)?.[0]?.text;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (MalformedXML) */
export function malformed(cause?: unknown): S3Error {
  const error = new S3Error(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
  error.cause = cause;
  return error;
}

function readChildren(nodes: unknown): XmlElement {
  const result: XmlElement = { text: "", children: new Map() };
  if (!Array.isArray(nodes)) return result;
  for (const node of nodes as Record<string, unknown>[]) {
    for (const [name, value] of Object.entries(node)) {
      if (name === "#text") {
        result.text += decodeEntities(String(value));
      } else {
        const list = result.children.get(name);
        if (list === undefined) result.children.set(name, [readChildren(value)]);
        else list.push(readChildren(value));
      }
    }
  }
  return result;
}

const ENTITY: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#x[0-9a-fA-F]+|#[0-9]+|[a-z]+);/g, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number.parseInt(name.slice(1), 10));
    return ENTITY[name] ?? whole;
  });
}
