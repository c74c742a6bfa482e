import type { Locator } from "playwright";
import { Failure } from "../contract/failures.ts";
import { writeText } from "./write-text.ts";

/**
 * `fill()` breaks rich-text editors: links turn to text, blank lines double, lists go. Each way below is one that a kind
 * of editor understands; what counts is that the text and the links can be read back.
 */
const ways = ["quill", "paste", "insert"] as const;

/** @throws Failure site.changed when no way leaves the text in the editor; Error as writeText, for a textarea */
export async function writeHtml(editor: Locator, html: string): Promise<void> {
  const tag = await editor.evaluate((element) => {
    element.scrollIntoView({ block: "nearest" });
    return element.tagName;
  });
  if (tag === "TEXTAREA" || tag === "INPUT") {
    await writeText(editor, html);
    return;
  }
  // White space between blocks becomes blank lines in most editors.
  const tight = html.replace(/>\s*\n\s*</g, "><").trim();
  const tried: string[] = [];
  for (const way of ways) {
    const problem = await editor.evaluate(writeInPage, { way, html: tight });
    if (problem === "") return;
    tried.push(`${way}: ${problem}`);
  }
  throw new Failure("site.changed", `the rich-text editor did not keep the text (${tried.join("; ")})`);
}

/** Runs in the page. Returns "" when the editor holds the text afterwards, else what is wrong. */
function writeInPage(root: Element, { way, html }: { way: "quill" | "paste" | "insert"; html: string }): string | Promise<string> {
  interface QuillLike {
    setContents(delta: unknown[], source: string): void;
    clipboard: { dangerouslyPasteHTML(html: string, source: string): void };
  }
  const inner = root.querySelector<HTMLElement>('[contenteditable="true"], [contenteditable=""]');
  const editor = (root as HTMLElement).isContentEditable ? (root as HTMLElement) : inner;
  if (!editor) return "it is not editable";
  const wanted = new DOMParser().parseFromString(html, "text/html").body;

  const bare = (text: string | null): string => (text ?? "").normalize("NFC").replace(/[\s\u200b\ufeff]+/g, "");
  const links = (element: Element): string =>
    Array.from(element.querySelectorAll("a[href]"), (link) => link.getAttribute("href")).join(" ");
  const items = (element: Element): number => element.querySelectorAll("li").length;
  const check = (): string => {
    if (bare(editor.textContent) !== bare(wanted.textContent)) return "the text differs";
    if (links(editor) !== links(wanted)) return "the links differ";
    return items(editor) === items(wanted) ? "" : "the lists differ";
  };

  const selectAll = (): void => {
    editor.focus();
    const range = document.createRange();
    range.selectNodeContents(editor);
    const selection = getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
  };
  const write = {
    quill: (): string => {
      const library = (globalThis as { Quill?: { find(node: Element): unknown } }).Quill;
      const container = editor.closest(".ql-container");
      const found = (container && ((container as { __quill?: unknown }).__quill ?? library?.find(container))) as
        | QuillLike
        | null
        | undefined;
      if (!found?.clipboard) return "no Quill";
      found.setContents([], "user");
      found.clipboard.dangerouslyPasteHTML(html, "user");
      return "";
    },
    paste: (): string => {
      selectAll();
      const data = new DataTransfer();
      data.setData("text/html", html);
      data.setData("text/plain", wanted.innerText || (wanted.textContent ?? ""));
      const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
      return editor.dispatchEvent(event) ? "nobody took the paste" : "";
    },
    insert: (): string => {
      selectAll();
      return document.execCommand("insertHTML", false, html) ? "" : "insertHTML was refused";
    },
  };
  const problem = write[way]();
  if (problem) return problem;
  // Editors settle what they were given after a task or two.
  return new Promise((resolve) => setTimeout(() => resolve(check()), 50));
}
