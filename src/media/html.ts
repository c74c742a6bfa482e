import sanitize from "sanitize-html";
import { toBlocks, type Subset } from "./html-subset.ts";
import { encode, element, parseTree, writeTree, type HtmlNode } from "./html-tree.ts";
import { cutTree, treeToText } from "./html-text.ts";
import type { Fix } from "./fix.ts";
import { xmlText } from "./xml-text.ts";

export interface HtmlLimits {
  /** Tags that the site keeps, e.g. ["p", "br", "strong", "em", "a", "ul", "ol", "li"]. */
  tags: readonly string[];
  /** Of the HTML as sent, UTF-16 units. */
  maxCharacters: number;
}

export interface FittedHtml {
  html: string;
  /** The same as plain text, NFC. */
  text: string;
  /** The whole text, also where `html` had to be cut: what is narrated. */
  fullText: string;
  fixes: Fix[];
}

/** Show notes take a few thousand; a parser should not be fed without end. */
const MAX_SOURCE_CHARACTERS = 1_000_000;

/** Everything that can be understood before the site's subset is applied. Only these attributes carry meaning. */
const wide = {
  allowedTags: [...sanitize.defaults.allowedTags, "img", "del"],
  allowedAttributes: { a: ["href", "title"], img: ["src", "alt", "width", "height"] },
  allowedSchemes: ["http", "https", "mailto"],
  allowProtocolRelative: false,
  /** Gone with all they hold. */
  nonTextTags:
    "script style noscript template textarea option select button iframe object embed applet svg math title video audio canvas form".split(
      " ",
    ),
  nestingLimit: 60,
};
const dropped = new Set([...wide.nonTextTags, "link", "meta", "base", "input"]);
const silent = new Set(["html", "head", "body", ...wide.allowedTags, ...dropped]);
const links = new Set(["href", "src"]);

/**
 * HTML (or plain text) from a stranger as HTML that a site takes: no scripts, no handlers, only its tags, not too long.
 * Texts stay as they are, letter by letter.
 */
export function fitHtml(source: string, limits: HtmlLimits): FittedHtml {
  const clean = xmlText(source.slice(0, MAX_SOURCE_CHARACTERS));
  const changes = new Set<string>();
  if (source.length > MAX_SOURCE_CHARACTERS) changes.add(`only the first ${MAX_SOURCE_CHARACTERS} of ${source.length} characters read`);
  const nodes = isPlain(clean)
    ? plainToTree(clean)
    : parseTree(sanitize(clean, { ...wide, onOpenTag: (tag, attributes) => judge(tag, attributes, changes) }));
  const subset: Subset = { allowed: new Set(limits.tags), changes };
  const whole = toBlocks(nodes, subset);
  const wholeHtml = write(whole);
  const fits = wholeHtml.length <= limits.maxCharacters;
  const kept = fits ? whole : cutTree(whole, limits.maxCharacters);
  const html = fits ? wholeHtml : write(kept);
  const fixes = [...changes].toSorted().map((say): Fix => ({ field: "about", say: `about: ${say}` }));
  if (!fits)
    fixes.push({
      field: "about",
      say: `about of ${wholeHtml.length} characters -> cut to ${html.length} (the site takes ${limits.maxCharacters})`,
    });
  const fullText = treeToText(toBlocks(nodes, textual));
  return { html, text: fits ? fullText : treeToText(kept), fullText, fixes };
}

/** Where the site has no paragraphs, breaks stand between them, and none after the last. */
function write(nodes: readonly HtmlNode[]): string {
  return writeTree(nodes).replace(/(?:\s|<br>)+$/, "");
}

/** Lists and headings kept, so that the text has its breaks whatever the site takes. */
const textual: Subset = {
  allowed: new Set(["p", "br", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"]),
  changes: new Set(),
};

function isPlain(text: string): boolean {
  return !/<\/?[a-z][^<>]*>|<!--|<!doctype|&(?:[a-z]+\d*|#\d+|#x[0-9a-f]+);/i.test(text);
}

function plainToTree(text: string): HtmlNode[] {
  return text
    .split(/\n[^\S\n]*\n\s*/)
    .filter((part) => part.trim() !== "")
    .map((part) =>
      element(
        "p",
        part
          .trim()
          .split("\n")
          .flatMap((row, index): HtmlNode[] => (index === 0 ? [row.trim()] : [element("br", []), row.trim()])),
      ),
    );
}

/** Writes down what the sanitiser is about to take away. */
function judge(tag: string, attributes: Record<string, string>, changes: Set<string>): void {
  if (dropped.has(tag)) changes.add(`<${tag}> removed`);
  else if (!silent.has(tag)) changes.add(`<${encode(tag)}> unwrapped`);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) changes.add("event handlers removed");
    else if (links.has(name) && !/^(https?:\/\/|mailto:)/i.test(value.trim()))
      changes.add(`<${tag}> ${name} that is no web address removed`);
  }
}
