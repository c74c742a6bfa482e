/** A small tree over well-formed HTML (what the sanitiser wrote), enough to move, unwrap and cut. Texts are decoded. */
export type HtmlNode = string | HtmlElement;

export interface HtmlElement {
  tag: string;
  /** As written, with its leading space: ` href="…"`; "" for none. */
  attributes: string;
  children: HtmlNode[];
}

const voids = new Set(["br", "hr", "img"]);

export function element(tag: string, children: HtmlNode[], attributes = ""): HtmlElement {
  return { tag, attributes, children };
}

export function encode(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function decode(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

export function parseTree(html: string): HtmlNode[] {
  const root = element("", []);
  const open = [root];
  for (const [token, slash, tag, attributes = ""] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:\s[^<>]*?)?)\s*\/?>|[^<]+/g)) {
    const parent = open.at(-1) ?? root;
    if (tag === undefined) parent.children.push(decode(token));
    else if (slash) {
      if (open.length > 1) open.pop();
    } else {
      const child = element(tag, [], attributes.trimEnd());
      parent.children.push(child);
      if (!voids.has(tag)) open.push(child);
    }
  }
  return root.children;
}

export function writeTree(nodes: readonly HtmlNode[]): string {
  return nodes
    .map((node) =>
      typeof node === "string"
        ? encode(node)
        : voids.has(node.tag)
          ? `<${node.tag}${node.attributes}>`
          : `<${node.tag}${node.attributes}>${writeTree(node.children)}</${node.tag}>`,
    )
    .join("");
}
