import sanitizeHtml from "sanitize-html";

/** What the editor can write; all else is taken out before it is stored. Characters of the text stay as they are. */
export const aboutTags = ["p", "br", "strong", "em", "u", "s", "a", "ul", "ol", "li", "h2", "h3", "blockquote", "pre", "code"] as const;
export const ABOUT_MAX_CHARACTERS = 20_000;
const linkAttributes = { rel: "noopener noreferrer nofollow", target: "_blank" } as const;

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
      a: sanitizeHtml.simpleTransform("a", linkAttributes),
    },
  });
  return aboutText(clean).trim() === "" ? "" : clean;
}

/** How long its writer made it: what is added here is not counted. @param html as `cleanAbout` made it */
export function aboutLength(html: string): number {
  return html.replaceAll(` rel="${linkAttributes.rel}" target="${linkAttributes.target}"`, "").replaceAll("<br />", "<br>").length;
}

const blockEnd = /<\/(?:p|li|h2|h3|blockquote|pre)>|<br\s*\/?>/g;

const entities: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&" };

/**
 * The same as plain text, a line a block. What is clean has tags and these entities only, so nothing has to be parsed: a feed asks
 * for thousands.
 * @param html as `cleanAbout` made it
 */
export function aboutText(html: string): string {
  return html
    .replace(blockEnd, "\n")
    .replace(/<[^>]*>/g, "")
    .replace(/&(?:lt|gt|quot|amp);/g, (entity) => entities[entity] ?? entity)
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
