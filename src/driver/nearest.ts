import type { Page } from "playwright";
import { outlineOf, readOutline, type OutlineEntry } from "./page-outline.ts";

/** What a driver looked for, as Playwright writes it in its errors: `getByRole('button', { name: 'Publish' })`. */
export interface Wanted {
  text: string;
  /** "not there", "there 2 times", "there, but …", "not looked for, as …" */
  found: string;
}

/** Something on the page that may be what was looked for. */
export interface Candidate {
  /** Ready to be put into the driver. */
  locator: string;
  /** 0 to 1. */
  likeness: number;
}

/** Playwright colours its call log. */
const colour = /\u001b\[\d+m/g;
const waitedFor = /waiting for ((?:(?:page\.)?(?:getBy\w+|locator|frameLocator)\(.*\)[^\n]*?))(?: to be \w+)?$/m;
const ambiguous = /strict mode violation: (.+) resolved to (\d+) elements/;
/** Why an element that is there can't be used; Playwright's own words. */
const hindrance =
  /- ((?:element is (?:not \w+|inert)|element is outside of the viewport|<.*> intercepts pointer events|element was detached[^\n]*))/g;

/** The pop-up that a step still waited for when its time was up; null when there was none. */
export function heldUpBy(message: string): string | null {
  const popUps = message.replaceAll(colour, "").matchAll(/found (.+), intercepting action|interception handler has finished/g);
  return [...popUps].at(-1)?.[1] ?? null;
}

/** The locator that an error of Playwright's is about; null when it is about none. */
export function wantedIn(message: string): Wanted | null {
  const plain = message.replaceAll(colour, "");
  const many = ambiguous.exec(plain);
  if (many) return { text: many[1] ?? "", found: `there ${many[2]} times` };
  const text = waitedFor.exec(plain)?.[1]?.trim();
  if (!text) return null;
  const popUp = heldUpBy(plain);
  if (popUp) return { text, found: `not looked for, as the pop-up ${popUp} was not put away` };
  const hindrances = new Set(Array.from(plain.matchAll(hindrance), ([, why = ""]) => why.slice(0, 160)));
  if (hindrances.size > 0) return { text, found: `there, but ${[...hindrances].join("; ")}` };
  return { text, found: plain.includes("locator resolved to ") ? "there, but not as it was waited for" : "not there" };
}

const fields: ReadonlySet<string> = new Set([
  "textbox",
  "searchbox",
  "combobox",
  "checkbox",
  "radio",
  "spinbutton",
  "slider",
  "switch",
  "listbox",
]);
/** A renamed button is nothing like its old name: enough to show all buttons of a usual page. */
const MAX_CANDIDATES = 15;
const LEAST_LIKENESS = 0.35;
const MAX_NAME = 80;

/** The last step of a locator's chain that says what is looked for: its role (or kind) and its words. */
function aim(text: string): { kind: string; role: string; words: string } {
  const steps = [
    ...text.matchAll(
      /(getBy\w+|locator|frameLocator)\(((?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\/(?:[^/\\]|\\.)*\/\w*|[^'"()/]|\((?:[^()]*)\))*)\)/g,
    ),
  ];
  const [, kind = "", given = ""] = steps.at(-1) ?? [];
  const strings = Array.from(given.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\/((?:[^/\\]|\\.)*)\/\w*/g), (found) => ({
    words: found[1] ?? found[2] ?? (found[3] ?? "").replaceAll(/\\[bdswBDSW]|[\\^$|()[\]{}+*?.]/g, " "),
  }));
  if (kind === "getByRole") return { kind, role: strings[0]?.words ?? "", words: strings[1]?.words ?? "" };
  return { kind, role: "", words: strings[0]?.words ?? "" };
}

/** What stands on the page and is most like what was looked for, best first. Never throws; [] when the page can't be read. */
export async function nearestOn(page: Page, wanted: string, outline?: string): Promise<Candidate[]> {
  const { kind, role, words } = aim(wanted);
  if (kind === "locator" || kind === "getByTestId") return nearestMarked(page, words).catch(() => []);
  const text = outline ?? (await outlineOf(page).catch(() => ""));
  const seen = new Map<string, Candidate>();
  for (const entry of readOutline(text)) {
    const candidate = { locator: locatorOf(entry), likeness: likenessTo({ kind, role, words }, entry) };
    if (candidate.likeness > (seen.get(candidate.locator)?.likeness ?? LEAST_LIKENESS)) seen.set(candidate.locator, candidate);
  }
  return best([...seen.values()]);
}

function likenessTo({ kind, role, words }: ReturnType<typeof aim>, entry: OutlineEntry): number {
  if (kind === "getByRole") {
    if (words === "") return entry.role === role ? 1 : 0;
    return (entry.role === role ? 0.4 : 0) + 0.6 * likeness(words, entry.name);
  }
  const isLabelled = kind === "getByLabel" || kind === "getByPlaceholder";
  // A file input shows as a button.
  const fits = !isLabelled ? 0 : fields.has(entry.role) ? 0.4 : entry.role === "button" ? 0.2 : 0;
  return fits + 0.6 * likeness(words, entry.name);
}

function best(candidates: Candidate[]): Candidate[] {
  return candidates.sort((one, other) => other.likeness - one.likeness).slice(0, MAX_CANDIDATES);
}

function locatorOf({ role, name }: OutlineEntry): string {
  const quoted = `'${name.slice(0, MAX_NAME).replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  if (["text", "paragraph", "generic", "listitem", "strong", "emphasis"].includes(role)) return `getByText(${quoted})`;
  return name === "" ? `getByRole('${role}')` : `getByRole('${role}', { name: ${quoted} })`;
}

/** For CSS: what carries an id, a name or a test id of similar words. */
async function nearestMarked(page: Page, words: string): Promise<Candidate[]> {
  const marks = await page.evaluate(() => {
    const all: string[] = [];
    for (const element of document.querySelectorAll("[id],[name],[data-testid],[data-test],[class]")) {
      const tag = element.tagName.toLowerCase();
      if (element.id) all.push(`#${CSS.escape(element.id)}`);
      for (const name of ["name", "data-testid", "data-test"]) {
        const value = element.getAttribute(name);
        if (value) all.push(`${tag}[${name}="${value.replaceAll('"', '\\"')}"]`);
      }
      for (const one of element.classList) all.push(`.${CSS.escape(one)}`);
      if (all.length > 3000) break;
    }
    return [...new Set(all)];
  });
  const candidates = marks.map((mark) => ({ locator: `locator('${mark.replaceAll("'", "\\'")}')`, likeness: likeness(words, mark) }));
  return best(candidates.filter((candidate) => candidate.likeness > LEAST_LIKENESS));
}

/** Of two texts, 0 to 1: the pairs of letters that they share (Dice). */
export function likeness(one: string, other: string): number {
  const [a, b] = [pairs(one), pairs(other)];
  if (a.length === 0 || b.length === 0) return one !== "" && one.toLowerCase() === other.toLowerCase() ? 1 : 0;
  const left = [...b];
  let shared = 0;
  for (const pair of a) {
    const at = left.indexOf(pair);
    if (at < 0) continue;
    left.splice(at, 1);
    shared += 1;
  }
  return (2 * shared) / (a.length + b.length);
}

/** Chinese words are two letters long: a single letter counts as well there. */
function pairs(text: string): string[] {
  const words =
    text
      .normalize("NFC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return words
    .flatMap((word) => (word.length === 1 ? [word] : Array.from({ length: word.length - 1 }, (_, at) => word.slice(at, at + 2))))
    .slice(0, 200);
}

/** A paragraph for people: what was looked for, how it was found, and what is like it. */
export function sayWanted(wanted: Wanted, candidates: readonly Candidate[]): string {
  const head = [`looked for  ${wanted.text}`, `it was      ${wanted.found}`];
  if (wanted.found.startsWith("there, but") || (wanted.found !== "not there" && candidates.length === 0)) return head.join("\n");
  const rows = candidates.map(({ locator, likeness: share }) => `  ${share.toFixed(2)}  ${locator}`);
  return [...head, rows.length > 0 ? `nearest on the page:\n${rows.join("\n")}` : "nothing on the page is like it"].join("\n");
}
