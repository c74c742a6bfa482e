const words = new Intl.Segmenter(undefined, { granularity: "word" });
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Stands for what is missing; one UTF-16 unit. */
export const ELLIPSIS = "…";

/**
 * The longest beginning of `text` of at most `max` UTF-16 units (as web forms count) that ends after a whole word,
 * or, where the first word alone is longer, after a whole grapheme: no letter loses its accent, no emoji breaks.
 */
export function cutAtWord(text: string, max: number): string {
  if (text.length <= max) return text;
  return longest(words, text, max).trimEnd() || longest(graphemes, text, max);
}

function longest(segmenter: Intl.Segmenter, text: string, max: number): string {
  // A look ahead of 256 units shows where the last word ends without segmenting all of a long text.
  let end = 0;
  for (const { index, segment } of segmenter.segment(text.slice(0, max + 256))) {
    if (index + segment.length > max) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}
