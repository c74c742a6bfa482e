/** An element as it was read. Names of known namespaces have their usual prefix, whatever the document calls it. */
export interface XmlElement {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: XmlElement[];
  /** Its own text, entities decoded; not its children's. */
  text: string;
  /** Of its start tag, from 1. */
  line: number;
}

/** Why a document is no XML. */
export class XmlProblem extends Error {
  /** From 1. */
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.name = "XmlProblem";
    this.line = line;
  }
}

const MAX_DEPTH = 100;
const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const legal = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;
const illegal = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const NAME = "[\\p{L}_:][\\p{L}\\p{N}\\p{M}_:.·-]*";
const closing = new RegExp(`</(${NAME})\\s*>`, "uy");
const opening = new RegExp(`<(${NAME})`, "uy");
const attribute = new RegExp(`\\s+(${NAME})\\s*=\\s*(?:"([^"<]*)"|'([^'<]*)')`, "uy");
const tagEnd = /\s*(\/?)>/y;

/**
 * Reads an XML document strictly: what a strict reader somewhere would refuse is refused here.
 * @param prefixes usual prefix by namespace address in lower case
 * @throws XmlProblem with the line
 */
export function readXml(xml: string, prefixes: ReadonlyMap<string, string> = new Map()): XmlElement {
  return new Reader(xml.replace(/^\uFEFF/, ""), prefixes).document();
}

interface Open {
  element: XmlElement;
  /** As the document calls it. */
  tag: string;
  scope: Scope;
}
/** Namespace address by the document's prefix; "" is the default's. */
type Scope = ReadonlyMap<string, string>;

class Reader {
  readonly #xml: string;
  readonly #prefixes: ReadonlyMap<string, string>;
  readonly #open: Open[] = [];
  #root: XmlElement | null = null;
  #at = 0;
  #line = 1;
  #counted = 0;

  constructor(xml: string, prefixes: ReadonlyMap<string, string>) {
    this.#xml = xml;
    this.#prefixes = prefixes;
  }

  document(): XmlElement {
    if (!legal.test(this.#xml))
      this.#fail(`the character ${codePoint(illegal.exec(this.#xml))} may not stand in XML`, this.#xml.search(illegal));
    while (this.#at < this.#xml.length) this.#next();
    const left = this.#open.at(-1);
    if (left) this.#fail(`<${left.tag}> of line ${left.element.line} is never closed`);
    return this.#root ?? this.#fail("there is no element");
  }

  #next(): void {
    const xml = this.#xml;
    const start = xml.indexOf("<", this.#at);
    this.#text(xml.slice(this.#at, start < 0 ? xml.length : start));
    this.#at = start < 0 ? xml.length : start;
    if (start < 0) return;
    if (xml.startsWith("<!--", start)) this.#skip("-->", "a comment");
    else if (xml.startsWith("<![CDATA[", start)) this.#add(this.#skip("]]>", "a CDATA section").slice(9));
    else if (xml.startsWith("<?", start)) this.#skip("?>", "an instruction");
    else if (xml.startsWith("<!DOCTYPE", start)) this.#skip(">", "the document type");
    else if (xml.startsWith("</", start)) this.#close();
    else this.#start();
  }

  /** @returns what stands before the end */
  #skip(end: string, what: string): string {
    const to = this.#xml.indexOf(end, this.#at);
    if (to < 0) this.#fail(`${what} never ends`);
    const inner = this.#xml.slice(this.#at, to);
    this.#at = to + end.length;
    return inner;
  }

  #text(raw: string): void {
    if (raw.includes("]]>")) this.#fail('"]]>" may stand only at the end of a CDATA section', this.#at + raw.indexOf("]]>"));
    this.#add(this.#decoded(raw));
  }

  #add(text: string): void {
    const parent = this.#open.at(-1)?.element;
    if (parent) parent.text += text;
    else if (text.trim() !== "") this.#fail("text stands outside of the first element");
  }

  #start(): void {
    opening.lastIndex = this.#at;
    const tag = opening.exec(this.#xml)?.[1];
    if (tag === undefined) return this.#fail('"<" begins no element; in text it is &lt;');
    const line = this.#lineAt(this.#at);
    this.#at = opening.lastIndex;
    const attributes = this.#attributes(tag);
    tagEnd.lastIndex = this.#at;
    const end = tagEnd.exec(this.#xml);
    if (!end) return this.#fail(`the tag <${tag}> is not well-formed`);
    this.#at = tagEnd.lastIndex;
    const parent = this.#open.at(-1);
    if (!parent && this.#root) this.#fail(`<${tag}> stands beside the first element`);
    if (this.#open.length >= MAX_DEPTH) this.#fail("the elements are nested too deeply");
    const scope = scopeOf(parent?.scope ?? new Map(), attributes);
    const element: XmlElement = { name: this.#nameOf(tag, scope), attributes, children: [], text: "", line };
    if (parent) parent.element.children.push(element);
    else this.#root = element;
    if (end[1] === "") this.#open.push({ element, tag, scope });
  }

  #attributes(tag: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (attribute.lastIndex = this.#at; ; this.#at = attribute.lastIndex) {
      const match = attribute.exec(this.#xml);
      if (!match) return found;
      const [, name = "", double, single] = match;
      if (Object.hasOwn(found, name)) this.#fail(`<${tag}> has the attribute ${name} twice`);
      found[name] = this.#decoded(double ?? single ?? "");
    }
  }

  #close(): void {
    closing.lastIndex = this.#at;
    const tag = closing.exec(this.#xml)?.[1];
    const open = this.#open.at(-1);
    if (tag === undefined || !open) return this.#fail("an end tag stands where none can be");
    if (tag !== open.tag) this.#fail(`</${tag}> stands where <${open.tag}> of line ${open.element.line} has to be closed`);
    this.#open.pop();
    this.#at = closing.lastIndex;
  }

  #nameOf(tag: string, scope: Scope): string {
    const [prefix, local] = tag.includes(":") ? [tag.slice(0, tag.indexOf(":")), tag.slice(tag.indexOf(":") + 1)] : ["", tag];
    const uri = scope.get(prefix);
    if (prefix !== "" && prefix !== "xml" && uri === undefined) this.#fail(`the prefix of <${tag}> is not declared (xmlns:${prefix}=…)`);
    const usual = this.#prefixes.get((uri ?? "").toLowerCase());
    return usual === undefined ? tag : `${usual}:${local}`;
  }

  #decoded(raw: string): string {
    if (!raw.includes("&")) return raw;
    return raw.replace(/&(?:(#x[0-9a-f]+|#\d+|[a-z]\w*);)?/gi, (all, name: string | undefined, offset: number) => {
      if (name === undefined) return this.#fail('a bare "&"; in text it is &amp;', this.#at + offset);
      if (!name.startsWith("#"))
        return entities[name] ?? this.#fail(`XML has no entity ${all}; write the character itself`, this.#at + offset);
      const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
      const character = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : "\0";
      return legal.test(character) ? character : this.#fail(`the character ${all} may not stand in XML`, this.#at + offset);
    });
  }

  #lineAt(position: number): number {
    for (let at = this.#xml.indexOf("\n", this.#counted); at >= 0 && at < position; at = this.#xml.indexOf("\n", at + 1)) {
      this.#line++;
      this.#counted = at + 1;
    }
    return this.#line;
  }

  #fail(message: string, position = this.#at): never {
    throw new XmlProblem(message, this.#xml.slice(0, position).split("\n").length);
  }
}

function scopeOf(outer: Scope, attributes: Readonly<Record<string, string>>): Scope {
  const own = Object.entries(attributes).flatMap(([name, uri]) => {
    const prefix = /^xmlns(?::(.+))?$/.exec(name);
    return prefix ? [[prefix[1] ?? "", uri] as const] : [];
  });
  return own.length === 0 ? outer : new Map([...outer, ...own]);
}

function codePoint(match: RegExpExecArray | null): string {
  return `U+${(match?.[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
