import { createHash } from "node:crypto";
import { aboutText, cleanAbout } from "../rich-text.ts";

/** What the API calls a summary is text, or HTML where it has tags; the web studio's editor has HTML. */
export function aboutOf(summary: string): string {
  if (/<[a-z][^<>]*>/i.test(summary)) return cleanAbout(summary);
  const safe = summary.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const blocks = safe.split(/\r?\n[ \t]*\r?\n/).flatMap((block) => (block.trim() ? [block.trim().replaceAll(/\r?\n/g, "<br />")] : []));
  return cleanAbout(blocks.map((block) => `<p>${block}</p>`).join(""));
}

/** A show of 10,000 episodes a few times over; about 4 MB. */
const MAX_KNOWN = 30_000;
/** What texts that were sent became, both by their hashes: a listing asks for all of them, and making one clean takes half a millisecond. */
const known = new Map<string, string>();

function becomes(sent: string, about: string): boolean {
  const key = hash(sent);
  let made = known.get(key);
  if (made === undefined) {
    made = hash(aboutOf(sent));
    const [oldest] = known.keys();
    if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
    known.set(key, made);
  }
  return made === hash(about);
}

/** As it was sent, as long as nobody has written another one in the web studio. */
export function summaryOf(sent: string, about: string): string {
  const asItWas = about.includes("<") && sent === about;
  if (asItWas || becomes(sent, about)) return sent;
  return about.includes("<") ? about : aboutText(about);
}

const hash = (text: string): string => createHash("sha256").update(text).digest("base64");
