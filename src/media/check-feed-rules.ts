import type { XmlElement } from "./xml-read.ts";

/** error: somebody who asks for it refuses the feed or the episode. warning: something is lost or shown wrong. hint: good to know. */
export type FindingLevel = "error" | "warning" | "hint";
export type WhoAsks = "XML" | "RSS" | "Apple" | "Spotify" | "Podcasting 2.0" | "RFC 5005";

/** A rule that a feed may break. Codes never change: scripts filter by them. */
export interface FeedRule {
  /** e.g. "show.image.missing" */
  code: string;
  level: FindingLevel;
  asks: WhoAsks;
  /** What to do about it, one sentence. */
  fix: string;
  /** @returns what is wrong, one sentence; null where nothing is */
  broken(seen: Seen): string | null;
}

/** What a rule looks at. */
export interface Seen {
  channel: XmlElement;
  /** The channel itself, or the episode that is looked at. */
  element: XmlElement;
  items: readonly XmlElement[];
  /** How many items have this guid, by guid. */
  guids: ReadonlyMap<string, number>;
  /** Where the document was read; null: nobody said. */
  url: string | null;
  /** Epoch, ms. */
  now: number;
}

export function children(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** Of the first child of that name; "" where there is none. */
export function textOf(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name)?.text.trim() ?? "";
}

export function attributeOf(element: XmlElement, name: string, attribute: string): string {
  return element.children.find((child) => child.name === name)?.attributes[attribute]?.trim() ?? "";
}

/** The address of an atom:link; "" where there is none. */
export function linkOf(channel: XmlElement, rel: string): string {
  return (
    children(channel, "atom:link")
      .find((link) => link.attributes["rel"] === rel)
      ?.attributes["href"]?.trim() ?? ""
  );
}

export function isWebAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

const zones = "(?:[+-]\\d{4}|GMT|UT|UTC|Z|[ECMP][SD]T)";
const mailDate = new RegExp(
  `^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\\s+)?\\d{1,2}\\s+(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\\s+\\d{4}\\s+\\d{2}:\\d{2}(?::\\d{2})?\\s+${zones}$`,
);

/** A date as mails have it (RFC 2822), which is what RSS asks for. @returns epoch, ms; null where it is none */
export function readMailDate(text: string): number | null {
  const at = Date.parse(text.replace(/\bUT$/, "UTC"));
  return mailDate.test(text) && !Number.isNaN(at) ? at : null;
}

/** Cut for a sentence. */
export function quoted(text: string): string {
  const short = [...text.replace(/\s+/g, " ").trim()];
  return `"${short.length > 60 ? `${short.slice(0, 59).join("")}…` : short.join("")}"`;
}

/** @param what e.g. "The show's link" */
export function said(what: string, address: string): string | null {
  if (address === "") return `${what} is missing.`;
  return isWebAddress(address) ? null : `${what} is no absolute address: ${quoted(address)}`;
}

export function tooLong(what: string, text: string, max: number): string | null {
  const length = [...text].length;
  return length > max ? `${what} has ${length.toLocaleString("en")} characters.` : null;
}

export function oneOf(what: string, value: string, known: readonly string[]): string | null {
  return value === "" || known.includes(value.toLowerCase()) ? null : `${what} is ${quoted(value)}, which nobody knows.`;
}

export function explicitWord(word: string): string | null {
  return /^(?:|true|false)$/i.test(word) ? null : `itunes:explicit says ${quoted(word)}.`;
}
