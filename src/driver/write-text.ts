import { setTimeout as delay } from "node:timers/promises";
import type { Locator, Request } from "playwright";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";

/** Before it is typed again: twice as long each time, as what takes it is not to be typed full. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1600;
/** A page whose navigation is never answered can't be read, and says so never. */
const READ_WITHIN_MS = 5000;

const harmless: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** What a field holds, and whether text came to it since it was last watched; "unknown": it is not the element that was watched. */
interface Held {
  text: string;
  came: "yes" | "no" | "unknown";
  /** A modal pop-up is open over it: it can't have the focus. */
  isCovered: boolean;
}

const unread: Held = { text: "", came: "unknown", isCovered: false };

/**
 * `fill()` says that all is well although a pop-up which opened with the field's focus took what was typed. What counts is that the
 * text came to the field; how the field then writes it (cut, trimmed, with separators) is its own affair. What was lost is typed
 * again, for as long as the page's default timeout from the first loss on. A code that the page took along (it went on, or sent
 * something) is not lost: typed again it could be a second wrong try.
 *
 * @param field an input, a textarea or an element that is contenteditable; rich text goes by `writeHtml`
 * @param text plain; in place of what was there; "" empties the field
 * @throws Error when nothing that is typed stays in the field, and Playwright's own when it can't be written in: both name the field
 *   as Playwright does, and neither holds the text, which may be a password
 */
export async function writeText(field: Locator, text: string): Promise<void> {
  const page = field.page();
  const [watching, over] = [new AbortController(), new AbortController()];
  let sent = 0;
  const note = (request: Request): void => {
    if (request.isNavigationRequest() || !harmless.has(request.method())) sent += 1;
  };
  page.on("request", note);
  try {
    let began = 0;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      let before = await look(field, true);
      if (!before || before.isCovered) {
        // Pop-ups that the driver declared are put away meanwhile.
        await field.waitFor({ state: "attached" });
        before = await look(field, true);
      }
      const sentBefore = sent;
      let held: Held = { text: "", came: "no", isCovered: before?.isCovered ?? false };
      // Under a pop-up Playwright would type into that.
      if (before && !before.isCovered) {
        await field.fill(text);
        const after = await look(field, false);
        // Gone: the page has moved on with the text.
        if (!after || isIn(after, text, before.text)) return;
        held = after;
      }
      if (began === 0) {
        began = performance.now();
        // Playwright tells nobody how long its default timeout is; a wait for what does not come ends by it.
        // What else ends it (a page that is closed or has crashed) the next step says better.
        void page.waitForEvent("close", { signal: watching.signal }).catch((error: Error) => {
          if (error.name === "TimeoutError") over.abort();
        });
      }
      await delay(pauseMs);
      if (sent > sentBefore && held.came !== "no") return;
      if (!over.signal.aborted) continue;
      const why = held.came === "no" ? "nothing that was typed came to the field" : "the page emptied the field again";
      // As Playwright writes it, so that the field is the locator to blame.
      const blamed = `  - waiting for ${field.toString()}\n  - element is ${held.isCovered ? "inert" : "not filled"}`;
      throw new Error(`writeText: for ${Math.ceil((performance.now() - began) / 1000)} s ${why}\n${blamed}`);
    }
  } catch (error) {
    throw withoutText(error, text);
  } finally {
    page.off("request", note);
    watching.abort();
  }
}

/** @param before what the field held before */
function isIn(held: Held, text: string, before: string): boolean {
  if (held.text === text || bare(text) === "") return true;
  return bare(held.text) !== "" && (held.came !== "no" || held.text !== before);
}

/** An empty editor holds a line or a character without width. */
function bare(text: string): string {
  return text.replace(/[\s\u200b\ufeff]+/g, "");
}

/** Waits for nothing: a field that is gone must not look like one that is slow. @returns null when it is gone, or its page is going */
async function look(field: Locator, watch: boolean): Promise<Held | null> {
  return withDeadline(READ_WITHIN_MS, "reading the field", async () => field.evaluateAll(lookInPage, watch)).catch((error: unknown) =>
    error instanceof DeadlineError ? unread : null,
  );
}

/** Runs in the page. @param watch notes from now on whether text comes to the field */
function lookInPage(found: Element[], watch: boolean): Held | null {
  type Field = Element & { value?: unknown; textCame?: boolean };
  // As in Playwright, a label stands for its field.
  const fields = found.map((element): Field => {
    if (element.matches("input, textarea, select, [contenteditable]")) return element;
    return element.closest("label")?.control ?? element;
  });
  const field = fields.find(({ textCame }) => textCame !== undefined) ?? fields[0];
  if (!field) return null;
  const read = (): string => (typeof field.value === "string" ? field.value : (field.textContent ?? ""));
  const came = field.textCame === undefined ? "unknown" : field.textCame ? "yes" : "no";
  if (watch) {
    // Before the page's own listeners, which may take the text out again.
    if (field.textCame === undefined) field.addEventListener("input", () => (field.textCame ||= read() !== ""), { capture: true });
    field.textCame = false;
  }
  // Up to the pop-up that it may stand in, through what components are made of.
  let around: Node | null = field;
  while (around && !(around instanceof Element && around.matches(":modal")))
    around = (around as Element).assignedSlot ?? around.parentNode ?? (around as Partial<ShadowRoot>).host ?? null;
  return { text: read(), came, isCovered: !around && document.querySelector(":modal") !== null };
}

/** Playwright's errors quote what was to be typed, and the elements they are about with what these hold. */
function withoutText(thrown: unknown, text: string): unknown {
  if (!(thrown instanceof Error)) return thrown;
  // Each line of the call log is coloured by itself, also within the text.
  const plain = (said: string): string => said.replaceAll(/\u001b\[\d+m/g, "");
  const clean = (said: string): string =>
    plain(said)
      .replaceAll(plain(`fill("${text}")`), "fill(…)")
      .replaceAll(/<(input|textarea)\b.*?(?= aka |$)/gm, "<$1 …>");
  const error: Error & { log?: unknown } = thrown;
  const stack = clean(error.stack ?? "");
  error.message = clean(error.message);
  error.stack = stack;
  if (Array.isArray(error.log)) error.log = error.log.map(String).map(clean);
  return error;
}
