import type { Medium } from "./site.ts";

/** The comments by which WordPress knows its blocks: without them a text is one block of the old editor. */
const comments: readonly (readonly [RegExp, string])[] = [
  [/<p>/g, "<!-- wp:paragraph --><p>"],
  [/<\/p>/g, "</p><!-- /wp:paragraph -->"],
  [/<h2>/g, "<!-- wp:heading --><h2>"],
  [/<h3>/g, '<!-- wp:heading {"level":3} --><h3>'],
  [/<\/(h[23])>/g, "</$1><!-- /wp:heading -->"],
  [/<ul>/g, "<!-- wp:list --><ul>"],
  [/<ol>/g, '<!-- wp:list {"ordered":true} --><ol>'],
  [/<\/([uo]l)>/g, "</$1><!-- /wp:list -->"],
  [/<li>/g, "<!-- wp:list-item --><li>"],
  [/<\/li>/g, "</li><!-- /wp:list-item -->"],
];

/** @param html of the tags that the drivers' `limits` name */
export function textBlocks(html: string): string {
  return comments.reduce((text, [tag, comment]) => text.replace(tag, comment), html);
}

/** @param audio null: an empty block, which asks for its file */
export function audioBlock(audio: Medium | null): string {
  if (!audio) return "<!-- wp:audio /-->";
  return `<!-- wp:audio {"id":${audio.id}} --><figure class="wp-block-audio"><audio controls src="${audio.source_url}"></audio></figure><!-- /wp:audio -->`;
}
