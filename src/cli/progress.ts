import { Writable } from "node:stream";
import { stripVTControlCharacters, styleText } from "node:util";
import { createLogUpdate } from "log-update";

/** What one running task is doing. */
export interface RunningLine {
  account: string;
  site: string;
  /** Counted from 1; 0 before the first episode. */
  position: number;
  total: number;
  step: string;
  /** Epoch ms at which this step began. */
  since: number;
}

export interface Progress {
  /** Give it to the log, so that lines and the display do not write over each other. */
  stream: NodeJS.WritableStream;
  /** Ends the display; its last picture is wiped. */
  stop(): void;
}

const REFRESH_MS = 200;
const bar = { done: "━", open: "─", width: 12 } as const;

/** One line, cut to the terminal's width. */
export function renderLine(line: RunningLine, now: number, columns: number): string {
  const share = line.total > 0 ? Math.min(1, Math.max(0, line.position - 1) / line.total) : 0;
  const filled = Math.round(share * bar.width);
  const meter = styleText("green", bar.done.repeat(filled)) + styleText("dim", bar.open.repeat(bar.width - filled));
  const seconds = Math.max(0, Math.round((now - line.since) / 1000));
  const plain = ` ${line.account}  ${line.site}  ${line.position}/${line.total} `;
  const room = columns - plain.length - bar.width - 8;
  const step = line.step.length > room ? `${line.step.slice(0, Math.max(0, room - 1))}…` : line.step;
  return `${meter} ${styleText("bold", line.account)}  ${styleText("dim", line.site)}  ${line.position}/${line.total}  ${styleText("cyan", step)} ${styleText("dim", `${seconds}s`)}`;
}

/**
 * A line per running task, redrawn in place, in a terminal; elsewhere nothing is drawn and the log's plain lines tell the story.
 * @param running asked for at each redraw
 * @param waiting one sentence for when nothing runs, or null
 */
export function showProgress(
  running: () => RunningLine[],
  waiting: () => string | null,
  out: NodeJS.WriteStream = process.stderr,
): Progress {
  if (!out.isTTY) return { stream: out, stop: () => undefined };
  const display = createLogUpdate(out, { showCursor: true });
  const draw = (): void => {
    const lines = running().map((line) => renderLine(line, Date.now(), out.columns || 80));
    const idle = waiting();
    if (lines.length === 0 && idle) lines.push(styleText("dim", idle));
    if (lines.length > 0) display(lines.join("\n"));
    else display.clear();
  };
  const timer = setInterval(draw, REFRESH_MS);
  timer.unref();
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      display.clear();
      out.write(chunk, () => {
        draw();
        done();
      });
    },
  });
  return {
    stream,
    stop() {
      clearInterval(timer);
      display.clear();
      display.done();
    },
  };
}

/** A table with aligned columns; width counts characters as shown. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, stripVTControlCharacters(cell).length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - stripVTControlCharacters(cell).length))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
