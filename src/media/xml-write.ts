import { xmlText } from "./xml-text.ts";

/**
 * An element with text. What holds markup stands in CDATA, as readers that decode once too often do least harm there.
 * @returns "" where there is no text, for what is optional
 */
export function textElement(name: string, text: string, attributes: Attributes = {}): string {
  return text === "" ? "" : `<${name}${attributesOf(attributes)}>${cdata(text)}</${name}>\n`;
}

export type Attributes = Readonly<Record<string, string | undefined>>;

/** An element without content; attributes that are undefined are left out. */
export function emptyElement(name: string, attributes: Attributes = {}): string {
  return `<${name}${attributesOf(attributes)}/>\n`;
}

/** An element around others. */
export function parentElement(name: string, inner: readonly string[], attributes: Attributes = {}): string {
  return `<${name}${attributesOf(attributes)}>\n${inner.join("")}</${name}>\n`;
}

/** Paragraphs stay. */
export function block(text: string): string {
  return xmlText(text).trim();
}

/** White space of any length becomes one space. */
export function line(text: string): string {
  return xmlText(text).replace(/\s+/g, " ").trim();
}

function cdata(text: string): string {
  return /[&<>]/.test(text) ? `<![CDATA[${text.replaceAll("]]>", "]]]]><![CDATA[>")}]]>` : text;
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function attributesOf(attributes: Attributes): string {
  let all = "";
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) all += ` ${name}="${line(value).replace(/[&<>"]/g, (mark) => escapes[mark] ?? mark)}"`;
  }
  return all;
}
