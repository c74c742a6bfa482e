import { Failure } from "../contract/failures.ts";
import { cutAtWord, ELLIPSIS } from "./cut.ts";
import type { Fix } from "./fix.ts";
import { xmlText } from "./xml-text.ts";

/** Bidirectional overrides and invisible marks that make a title read as something else; joiners stay, emoji need them. */
const invisible = /[\u200B\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;

/**
 * A title that a site's form takes as it is. Letters are never normalised: what is left is the author's, byte for byte.
 * @param maxCharacters UTF-16 units, as web forms count
 * @throws Failure content.title when nothing is left, or when it is too long and must not be cut
 */
export function fitTitle(title: string, maxCharacters: number, tooLong: "cut" | "refuse" = "cut"): { title: string; fixes: Fix[] } {
  const fixes: Fix[] = [];
  const clean = xmlText(title).replace(invisible, "");
  if (clean !== title) fixes.push({ field: "title", say: "title: control characters removed" });
  const line = clean.replace(/\s+/g, " ").trim();
  if (line !== clean) fixes.push({ field: "title", say: "title: runs of white space -> one space" });
  if (line === "") throw new Failure("content.title", title === "" ? "" : "its title holds nothing that can be seen");
  if (line.length <= maxCharacters) return { title: line, fixes };
  if (tooLong === "refuse")
    throw new Failure(
      "content.title",
      `the title has ${line.length} characters, the site takes ${maxCharacters}, and its titles are not cut`,
    );
  const cut = cutAtWord(line, maxCharacters - ELLIPSIS.length) + ELLIPSIS;
  fixes.push({ field: "title", say: `title of ${line.length} characters -> cut to ${cut.length} (the site takes ${maxCharacters})` });
  return { title: cut, fixes };
}
