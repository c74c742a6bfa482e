import { encode, element, writeTree, type HtmlElement, type HtmlNode } from "./html-tree.ts";
import { cutAtWord, ELLIPSIS } from "./cut.ts";

const paragraphs = new Set(["p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "blockquote", "pre", "hr", "ul", "ol"]);

/** Plain text: one blank line between paragraphs, one line a list item, NFC. */
export function treeToText(nodes: readonly HtmlNode[]): string {
  return write(nodes)
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .normalize("NFC")
    .trim();
}

function write(nodes: readonly HtmlNode[]): string {
  return nodes
    .map((node) => {
      if (typeof node === "string") return node;
      if (node.tag === "br") return "\n";
      const inner = write(node.children);
      if (node.tag === "li") return `\n• ${inner.trim()}\n`;
      return paragraphs.has(node.tag) ? `\n\n${inner}\n\n` : inner;
    })
    .join("");
}

/** The tree cut so that it is written in at most `max` UTF-16 units, after a whole word and with "…"; no tag or entity is ever broken. */
export function cutTree(nodes: readonly HtmlNode[], max: number): HtmlNode[] {
  return endWithEllipsis(keep(nodes, max - ELLIPSIS.length));
}

function keep(nodes: readonly HtmlNode[], max: number): HtmlNode[] {
  const out: HtmlNode[] = [];
  let left = max;
  for (const node of nodes) {
    const length = writeTree([node]).length;
    if (length > left) return [...out, ...(typeof node === "string" ? keepText(node, left) : keepElement(node, left))];
    out.push(node);
    left -= length;
  }
  return out;
}

function keepElement(node: HtmlElement, max: number): HtmlNode[] {
  const shell = writeTree([{ ...node, children: [] }]).length;
  if (node.children.length === 0 || shell >= max) return [];
  const children = keep(node.children, max - shell);
  return children.length > 0 ? [element(node.tag, children, node.attributes)] : [];
}

function keepText(text: string, max: number): HtmlNode[] {
  let room = max;
  while (room > 0) {
    const kept = cutAtWord(text, room);
    const over = encode(kept).length - max;
    if (over <= 0) return kept === "" ? [] : [kept];
    // An entity is at most five units (&amp;), so this never goes below what fits by more than a few words.
    room = kept.length - Math.ceil(over / 5);
  }
  return [];
}

function endWithEllipsis(nodes: readonly HtmlNode[]): HtmlNode[] {
  const last = nodes.at(-1);
  if (last === undefined) return [];
  if (typeof last === "string") return [...nodes.slice(0, -1), last.trimEnd() + ELLIPSIS];
  if (last.children.length === 0) return last.tag === "br" ? endWithEllipsis(nodes.slice(0, -1)) : [...nodes, ELLIPSIS];
  return [...nodes.slice(0, -1), { ...last, children: endWithEllipsis(last.children) }];
}
