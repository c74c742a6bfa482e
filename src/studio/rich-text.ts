import sanitizeHtml from "sanitize-html";

/** What the editor can write; all else is taken out before it is stored. Characters of the text stay as they are. */
export const aboutTags = ["p", "br", "strong", "em", "u", "s", "a", "ul", "ol", "li", "h2", "h3", "blockquote", "pre", "code"] as const;
export const ABOUT_MAX_CHARACTERS = 20_000;

export function cleanAbout(html: string): string {
  const clean = sanitizeHtml(html, {
    allowedTags: [...aboutTags],
    allowedAttributes: { a: ["href", "rel", "target"] },
    allowedSchemes: ["http", "https", "mailto"],
    allowProtocolRelative: false,
    disallowedTagsMode: "discard",
    transformTags: {
      b: "strong",
      i: "em",
      h1: "h2",
      a: sanitizeHtml.simpleTransform("a", { rel: "noopener noreferrer nofollow", target: "_blank" }),
    },
  });
  return aboutText(clean).trim() === "" ? "" : clean;
}

const blockEnd = /<\/(?:p|li|h2|h3|blockquote|pre)>|<br\s*\/?>/g;

/** The same as plain text, a line a block. */
export function aboutText(html: string): string {
  const text = sanitizeHtml(html.replace(blockEnd, "$&\n"), { allowedTags: [], allowedAttributes: {} });
  const plain = text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
  return plain.replace(/\n{3,}/g, "\n\n").trim();
}
