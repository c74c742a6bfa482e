import { html } from "ghtml";

/**
 * As much of CommonMark as notes need, with what Castopod adds: HTML is shown as written, quotes and dashes that nobody
 * escaped become typographic ones.
 */
export function renderMarkdown(text: string): string {
  // Forms send their lines with CR LF.
  return text
    .replaceAll("\r\n", "\n")
    .split(/\n{2,}/)
    .map((block) => {
      if (block.startsWith("- ")) return `<ul>${items(block, /^- /)}</ul>`;
      if (/^\d+\. /.test(block)) return `<ol>${items(block, /^\d+\. /)}</ol>`;
      return `<p>${inline(block)}</p>`;
    })
    .join("\n");
}

function items(block: string, mark: RegExp): string {
  return block
    .split("\n")
    .map((line) => `<li>${inline(line.replace(mark, ""))}</li>`)
    .join("");
}

function inline(text: string): string {
  // What was escaped is put aside first: it means nothing any more.
  const kept: string[] = [];
  const bare = text
    .replace(/\\\n/g, () => keep("<br>"))
    .replace(/\\([!-/:-@[-`{-~])/g, (_, mark: string) => keep(html`${mark}`))
    .replace(/<(https?:[^>]*)>/g, (_, address: string) => keep(address));
  const shown = html`${bare}`
    .replaceAll("&#39;", "’")
    .replaceAll("&#34;", "”")
    .replaceAll("&quot;", "”")
    .replaceAll("&apos;", "’")
    .replaceAll("...", "…")
    .replaceAll("--", "–")
    .replace(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
    .replace(/\*(.+?)\*/g, "<em>$1</em>")
    .replace(/\[(.+?)\]\((.+?)\)/g, '<a href="$2">$1</a>');
  return putBack(shown);

  function keep(what: string): string {
    kept.push(what);
    return `\u0001${kept.length - 1}\u0002`;
  }
  /** What was kept may hold what was kept before it. */
  function putBack(rendered: string): string {
    return kept.reduceRight((out, what, index) => out.replaceAll(`\u0001${index}\u0002`, what), rendered);
  }
}
