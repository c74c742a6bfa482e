import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** A text of a table; only `styled` ones have colours. */
export type Cell = string | { style: Style; text: string };

export function styled(style: Style, text: string): Cell {
  return { style, text };
}

/** What sites and people wrote, on one line and without what would steer a terminal. */
export function harmless(text: string): string {
  return text.replaceAll(/[\t\r\n]+/g, " ").replaceAll(/\p{Cc}/gu, "\uFFFD");
}

/**
 * A table with aligned columns; width counts characters as shown.
 * @param columns rows are cut to so many; absent: they are as long as they are
 */
export function table(rows: readonly (readonly Cell[])[], columns = Infinity): string {
  const shown = rows.map((row) => row.map(shownCell));
  const widths: number[] = [];
  for (const row of shown) row.forEach(({ width }, i) => (widths[i] = Math.max(widths[i] ?? 0, width)));
  return shown
    .map((row) => {
      const cells = row.map(({ text, width }, i) => text + " ".repeat((widths[i] ?? 0) - width));
      return cut(cells.join("  ").trimEnd(), columns);
    })
    .join("\n");
}

function shownCell(cell: Cell): { text: string; width: number } {
  const text = harmless(typeof cell === "string" ? cell : cell.text);
  return { text: typeof cell === "string" ? text : styleText(cell.style, text), width: text.length };
}

/** To the terminal's width; what is coloured ends with its colour. */
export function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length < columns) return line;
  let [kept, left] = ["", columns - 2];
  for (const part of line.split(/(\u001B\[[\d;]*m)/)) {
    if (part.startsWith("\u001B")) kept += part;
    else {
      kept += part.slice(0, Math.max(0, left));
      left -= part.length;
    }
  }
  return `${kept}…`;
}
