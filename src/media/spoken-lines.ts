import { cutAtWord } from "./cut.ts";

/** One line is one piece of work for the voice: long enough to sound whole, short enough to cancel and to show progress. */
const LINE_CHARACTERS = 400;
const sentences = new Intl.Segmenter(undefined, { granularity: "sentence" });

/**
 * Plain text as the voice gets it: lines of whole sentences, an empty line between paragraphs.
 * Addresses become their host, bullets and pictures fall silent, headings end like sentences.
 */
export function spokenLines(text: string): string[] {
  const paragraphs = text
    .normalize("NFC")
    .split(/\n+/)
    .map(readable)
    .filter((paragraph) => /[\p{L}\p{N}]/u.test(paragraph));
  return paragraphs.flatMap((paragraph, index) => [...(index > 0 ? [""] : []), ...linesOf(paragraph)]);
}

function readable(paragraph: string): string {
  const line = paragraph
    .replace(/https?:\/\/(?:www\.)?([^\s/?#<>"]+)[^\s<>"]*/gi, "$1")
    .replace(/[•◦▪–—]+\s/g, " ")
    .replace(/(?:\p{Extended_Pictographic}|\u200D|\uFE0F)+/gu, (mark) => (/^[\d#*©®™]/.test(mark) ? mark : " "))
    // oxlint-disable-next-line no-control-regex -- nothing invisible reaches the voice
    .replace(/[\u0000-\u001F<>{}|\\^~]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return /[.!?…:;,。！？]["'”’)\]]*$/.test(line) || line === "" ? line : `${line}.`;
}

function linesOf(paragraph: string): string[] {
  const lines: string[] = [];
  for (const { segment } of sentences.segment(paragraph)) {
    for (const piece of pieces(segment.trim())) {
      const last = lines.at(-1);
      if (last !== undefined && last.length + piece.length < LINE_CHARACTERS) lines[lines.length - 1] = `${last} ${piece}`;
      else lines.push(piece);
    }
  }
  return lines.filter((line) => line !== "");
}

function pieces(sentence: string): string[] {
  const out: string[] = [];
  let rest = sentence;
  while (rest.length > LINE_CHARACTERS) {
    const head = cutAtWord(rest, LINE_CHARACTERS);
    out.push(head);
    rest = rest.slice(head.length).trimStart();
  }
  return [...out, rest];
}
