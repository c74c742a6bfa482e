import { aboutText, cleanAbout } from "../rich-text.ts";

/** What the API calls a summary is text, or HTML where it has tags; the web studio's editor has HTML. */
export function aboutOf(summary: string): string {
  if (/<[a-z][^<>]*>/i.test(summary)) return cleanAbout(summary);
  const safe = summary.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const blocks = safe.split(/\r?\n[ \t]*\r?\n/).flatMap((block) => (block.trim() ? [block.trim().replaceAll(/\r?\n/g, "<br />")] : []));
  return cleanAbout(blocks.map((block) => `<p>${block}</p>`).join(""));
}

/** As it was sent, as long as nobody has written another one in the web studio. */
export function summaryOf(sent: string, about: string): string {
  if (aboutOf(sent) === about) return sent;
  return about.includes("<") ? about : aboutText(about);
}
