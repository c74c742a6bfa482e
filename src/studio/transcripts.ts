import { spokenLines } from "../media/spoken-lines.ts";

/** The forms in which the text of a narrated episode is given, the one that players follow first. */
export const transcriptKinds = [
  { ending: "vtt", mime: "text/vtt" },
  { ending: "txt", mime: "text/plain" },
] as const;
export type TranscriptEnding = (typeof transcriptKinds)[number]["ending"];

const CUE_CHARACTERS = 90;

/** What a machine's voice has read: the episode's text. @param text plain. @param seconds how long the recording lasts */
export function transcriptOf(ending: TranscriptEnding, text: string, seconds: number): string {
  return ending === "txt" ? `${text}\n` : webVtt(spokenLines(text), seconds);
}

/**
 * A machine reads evenly, so a sentence's time follows from its share of the text.
 * @param lines as the voice got them
 */
function webVtt(lines: readonly string[], seconds: number): string {
  const cues = lines.flatMap(cut);
  const total = cues.reduce((sum, { length }) => sum + length, 0);
  const head = "WEBVTT\n\nNOTE The times are estimated from the length of the text.\n";
  let read = 0;
  const blocks = cues.map((cue) => {
    const from = time((read / total) * seconds);
    read += cue.length;
    return `\n${from} --> ${time((read / total) * seconds)}\n${escaped(cue)}\n`;
  });
  return head + blocks.join("");
}

/** Pieces that fit under a picture, cut between words. */
function cut(line: string): string[] {
  const cues: string[] = [];
  for (const word of line.split(/\s+/).filter(Boolean)) {
    const last = cues.at(-1);
    if (last !== undefined && last.length + word.length < CUE_CHARACTERS) cues[cues.length - 1] = `${last} ${word}`;
    else cues.push(word);
  }
  return cues;
}

function time(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
