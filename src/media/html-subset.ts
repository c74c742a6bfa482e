import { element, type HtmlElement, type HtmlNode } from "./html-tree.ts";

const headings = new Set(["h1", "h2", "h3", "h4", "h5", "h6"]);
const blocks = new Set([
  ...headings,
  ..."address article aside blockquote caption dd div dl dt figcaption figure footer header hgroup hr li main menu nav ol p pre section table tbody td tfoot th thead tr ul".split(
    " ",
  ),
]);
const twins: Readonly<Record<string, string>> = { b: "strong", strong: "b", i: "em", em: "i", s: "del", del: "s" };

/** What the site takes, and what had to happen to the rest ("<h1> -> <p><strong>"), once each. */
export interface Subset {
  allowed: ReadonlySet<string>;
  changes: Set<string>;
}

const tableParts = new Set("table thead tbody tfoot td th".split(" "));

function isBlock(node: HtmlNode): boolean {
  return typeof node !== "string" && blocks.has(node.tag);
}

function holdsBlock(node: HtmlNode): boolean {
  return typeof node !== "string" && node.children.some((child) => isBlock(child) || holdsBlock(child));
}

function isBlank(nodes: readonly HtmlNode[]): boolean {
  return nodes.every((node) =>
    typeof node === "string" ? node.trim() === "" : node.tag === "br" || (node.tag !== "img" && isBlank(node.children)),
  );
}

/** Paragraphs, lists and headings in order; loose text between them becomes paragraphs of its own. */
export function toBlocks(nodes: readonly HtmlNode[], subset: Subset): HtmlNode[] {
  const out: HtmlNode[] = [];
  let run: HtmlNode[] = [];
  const endRun = (): void => {
    out.push(...paragraph(trimRun(run), subset));
    run = [];
  };
  for (const node of nodes) {
    if (typeof node === "string") run.push(node);
    else if (isBlock(node)) {
      endRun();
      out.push(...toBlock(node, subset));
    } else if (holdsBlock(node) && !subset.allowed.has(node.tag)) {
      endRun();
      out.push(...toBlocks(node.children, subset));
    } else run.push(...toInline([node], subset));
  }
  endRun();
  return out;
}

function toBlock(node: HtmlElement, subset: Subset): HtmlNode[] {
  const { tag, children } = node;
  const { allowed, changes } = subset;
  if (tag === "p") return paragraph(trimRun(toInline(children, subset)), subset);
  if (tag === "hr") return allowed.has("hr") ? [node] : [];
  if (headings.has(tag)) return isBlank(children) ? [] : heading(tag, toInline(children, subset), subset);
  if (tag === "ul" || tag === "ol" || tag === "menu") return list(node, subset);
  if (tag === "tr") return paragraph(tableRow(children, subset), subset);
  if (allowed.has(tag)) return [element(tag, tag === "pre" ? toInline(children, subset) : toBlocks(children, subset), node.attributes)];
  if (!tableParts.has(tag)) changes.add(`<${tag}> unwrapped`);
  return toBlocks(children, subset);
}

function paragraph(children: HtmlNode[], { allowed }: Subset): HtmlNode[] {
  if (isBlank(children)) return [];
  if (allowed.has("p")) return [element("p", children)];
  return allowed.has("br") ? [...children, element("br", []), element("br", [])] : [...children, "\n\n"];
}

function heading(tag: string, children: HtmlNode[], subset: Subset): HtmlNode[] {
  if (subset.allowed.has(tag)) return [element(tag, children)];
  const strong = ["strong", "b"].find((name) => subset.allowed.has(name));
  subset.changes.add(`<${tag}> -> <p>${strong ? `<${strong}>` : ""}`);
  return paragraph(strong ? [element(strong, children)] : children, subset);
}

function list(node: HtmlElement, subset: Subset): HtmlNode[] {
  const tag = node.tag === "menu" ? "ul" : node.tag;
  const items = node.children
    .filter((child) => !(typeof child === "string" && child.trim() === ""))
    .map((child) => (typeof child !== "string" && child.tag === "li" ? child.children : [child]));
  if (subset.allowed.has(tag) && subset.allowed.has("li"))
    return [
      element(
        tag,
        items.map((children) => element("li", listItem(children, subset))),
      ),
    ];
  subset.changes.add(`<${tag}> -> lines with ${tag === "ol" ? "numbers" : "bullets"}`);
  return items.flatMap((children, index) =>
    paragraph([tag === "ol" ? `${index + 1}. ` : "• ", ...trimRun(toInline(children, subset))], subset),
  );
}

/** `<li><p>text</p></li>` is written as `<li>text</li>`, as editors do. */
function listItem(children: readonly HtmlNode[], subset: Subset): HtmlNode[] {
  if (!children.some((child) => isBlock(child) || holdsBlock(child))) return trimRun(toInline(children, subset));
  const inner = toBlocks(children, subset);
  const [only] = inner;
  return inner.length === 1 && typeof only === "object" && only.tag === "p" ? only.children : inner;
}

function tableRow(cells: readonly HtmlNode[], subset: Subset): HtmlNode[] {
  subset.changes.add("<table> -> lines");
  const filled = cells.filter((cell) => typeof cell !== "string");
  return filled.flatMap((cell, index) => [...(index > 0 ? [" – "] : []), ...trimRun(toInline(cell.children, subset))]);
}

/** Only what may stand inside a line; blocks found here are separated by a space, links in links are one link. */
function toInline(nodes: readonly HtmlNode[], subset: Subset, inLink = false): HtmlNode[] {
  const { allowed, changes } = subset;
  return nodes.flatMap((node): HtmlNode[] => {
    if (typeof node === "string") return [node];
    const { tag } = node;
    if (isBlock(node)) return [" ", ...toInline(node.children, subset, inLink), " "];
    if (tag === "br") return [allowed.has("br") ? node : "\n"];
    if (tag === "wbr") return [];
    if (tag === "img" && !allowed.has("img")) {
      changes.add("<img> removed");
      return [];
    }
    if (tag === "img") return [node];
    const children = toInline(node.children, subset, inLink || tag === "a");
    if (children.length === 0 || (tag === "a" && inLink)) return children;
    if (allowed.has(tag) && !(tag === "a" && node.attributes === "")) return [element(tag, children, node.attributes)];
    const twin = twins[tag];
    if (twin && allowed.has(twin)) return [element(twin, children)];
    changes.add(`<${tag}> unwrapped`);
    return children;
  });
}

function trimRun(nodes: HtmlNode[]): HtmlNode[] {
  const isEdge = (node: HtmlNode | undefined): boolean => (typeof node === "string" ? node.trim() === "" : node?.tag === "br");
  let [from, to] = [0, nodes.length];
  while (from < to && isEdge(nodes[from])) from += 1;
  while (to > from && isEdge(nodes[to - 1])) to -= 1;
  return nodes.slice(from, to).map((node, index, all) => {
    if (typeof node !== "string") return node;
    const start = index === 0 ? node.trimStart() : node;
    return index === all.length - 1 ? start.trimEnd() : start;
  });
}
