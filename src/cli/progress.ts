import { Writable } from "node:stream";
import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import { cut } from "./table.ts";

/** What one running task is doing. */
export interface RunningLine {
  account: string;
  site: string;
  /** Counted from 1; 0 before the first episode. */
  position: number;
  /** 0: nothing is posted, the sign-in is checked. */
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
  const count = line.total > 0 ? `${line.position}/${line.total}` : "check";
  const plain = ` ${line.account}  ${line.site}  ${count} `;
  const room = columns - plain.length - bar.width - 8;
  const step = line.step.length > room ? `${line.step.slice(0, Math.max(0, room - 1))}…` : line.step;
  return `${meter} ${styleText("bold", line.account)}  ${styleText("dim", line.site)}  ${count}  ${styleText("cyan", step)} ${styleText("dim", `${seconds}s`)}`;
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

export interface BatchProgress {
  /** @param said what came of them so far */
  show(done: number, said: string): void;
  /** The last picture stays. */
  end(): void;
}

const WIDE_BAR = 24;
/** Elsewhere than in a terminal a line each so often. */
const PLAIN_SHARE = 0.1;

/** How far a long job is: in a terminal one line that is redrawn, elsewhere a plain line for each tenth. */
export function showBatches(total: number, what: string, out: NodeJS.WriteStream = process.stderr): BatchProgress {
  const [display, started] = [out.isTTY ? createLogUpdate(out, { showCursor: true }) : null, performance.now()];
  const whole = total.toLocaleString("en");
  const draw = (done: number, said: string): void => {
    const seconds = (performance.now() - started) / 1000;
    const filled = Math.round((done / total) * WIDE_BAR);
    const meter = styleText("green", bar.done.repeat(filled)) + styleText("dim", bar.open.repeat(WIDE_BAR - filled));
    const pace = done === 0 ? "" : done < total ? `${timeText((seconds / done) * (total - done))} left` : `in ${timeText(seconds)}`;
    const line = `${meter} ${styleText("bold", done.toLocaleString("en"))} of ${whole} ${what}  ${styleText("dim", pace)}  ${said}`;
    display?.(cut(line, out.columns || 80));
  };
  let shown = 0;
  draw(0, "");
  return {
    show(done, said) {
      if (display) return draw(done, said);
      if (done < total && (done - shown) / total < PLAIN_SHARE) return;
      shown = done;
      out.write(`${done.toLocaleString("en")} of ${whole} ${what}${said && `: ${said}`}\n`);
    },
    end: () => display?.done(),
  };
}

/** "2,950 imported, 50 duplicates": what there is none of is left out. */
export function counted(counters: Readonly<Record<string, number>>): string {
  return Object.entries(counters)
    .filter(([, how]) => how > 0)
    .map(([what, how]) => `${how.toLocaleString("en")} ${what}`)
    .join(", ");
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
