import type { Page } from "playwright";

/** A thing on a page as assistive technology knows it. */
export interface OutlineEntry {
  role: string;
  /** Its accessible name, or its text where it has none; "" for neither. */
  name: string;
}

const OUTLINE_WITHIN_MS = 5000;
const MAX_FRAMES = 10;

/** The page's accessibility tree in Playwright's YAML, with the frames in it; what can't be read is left out. */
export async function outlineOf(page: Page, timeoutMs = OUTLINE_WITHIN_MS): Promise<string> {
  const main = page.mainFrame();
  const parts = [await main.locator("body").ariaSnapshot({ timeout: timeoutMs })];
  for (const frame of page.frames().slice(0, MAX_FRAMES)) {
    if (frame === main || frame.isDetached()) continue;
    const inside = await frame
      .locator("body")
      .ariaSnapshot({ timeout: Math.min(1000, timeoutMs) })
      .catch(() => "");
    if (inside.trim()) parts.push(`# frame ${frame.name() || frame.url().replace(/[?#].*$/, "")}\n${inside}`);
  }
  return `${parts.join("\n")}\n`;
}

const line = /^([a-z]+)(?: "((?:[^"\\]|\\.)*)")?(?: \[[^\]]*\])*(?::\s*(.*))?$/;

/** @param outline as `outlineOf` makes it */
export function readOutline(outline: string): OutlineEntry[] {
  return outline.split("\n").flatMap((raw) => {
    const [, item = ""] = /^\s*- (.*)$/.exec(raw) ?? [];
    // A name with a colon makes the whole line a quoted YAML string.
    const quoted = /^'((?:[^']|'')*)'(:.*)?$/.exec(item);
    const plain = quoted ? `${(quoted[1] ?? "").replaceAll("''", "'")}${quoted[2] ?? ""}` : item;
    const [, role, name, text = ""] = line.exec(plain) ?? [];
    if (!role) return [];
    return [{ role, name: (name ?? unquote(text)).replaceAll('\\"', '"') }];
  });
}

function unquote(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}
