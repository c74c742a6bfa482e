import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import type { Kill } from "./storm.ts";

/** What is told while it runs, on stderr: a line that stays for each kill, and below it one that moves. */
export interface ChaosShow {
  say(line: string): void;
  kill(kill: Kill): void;
  back(kill: Kill, ms: number): void;
  stop(): void;
}

/** What the moving line says. */
export interface ChaosNow {
  kills: number;
  /** Episodes that were asked for and that are on the site. */
  asked: number;
  out: number;
  /** What the farm is at, or why it is not. */
  farm: string;
}

const REFRESH_MS = 120;
const WIDTH = 20;
const HIT_CHARACTERS = 43;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;

export function showChaos(now: () => ChaosNow, total: number, out: NodeJS.WriteStream = process.stderr): ChaosShow {
  const began = Date.now();
  const display = out.isTTY ? createLogUpdate(out, { showCursor: false }) : null;
  let killed = "";
  let frame = 0;
  const clock = (at: number): string => styleText("dim", `${((at - began) / 1000).toFixed(1).padStart(5)} s`);
  const draw = (): void => {
    if (!display) return;
    const { kills, asked, out: done, farm } = now();
    const filled = total > 0 ? Math.round((kills / total) * WIDTH) : WIDTH;
    const bar = styleText("red", "━".repeat(filled)) + styleText("dim", "─".repeat(WIDTH - filled));
    const spin = styleText("cyan", frames[(frame += 1) % frames.length] ?? "");
    const episodes = `${styleText("green", String(done))} of ${asked} episodes out`;
    const room = Math.max(10, (out.columns || 80) - WIDTH - 46);
    display(
      [
        ...(killed ? [killed] : []),
        "",
        `${spin} ${bar}  ${kills} of ${total} kills  ${episodes}  ${styleText("dim", cut(farm, room))}`,
      ].join("\n"),
    );
  };
  const timer = setInterval(draw, REFRESH_MS);
  timer.unref();
  const say = (line: string): void => {
    display?.clear();
    out.write(`${line}\n`);
    draw();
  };
  const line = ({ number, at, hit }: Kill, end: string): string => {
    const room = out.isTTY ? Math.min(60, Math.max(20, (out.columns || 80) - 40)) : HIT_CHARACTERS;
    return `${clock(at)}  ${styleText("red", "✗")} kill ${String(number).padStart(String(total).length)}  ${cut(hit, room).padEnd(Math.min(room, HIT_CHARACTERS))}${end}`;
  };
  return {
    say,
    kill(kill) {
      killed = line(kill, styleText("dim", "  …"));
      draw();
    },
    back(kill, ms) {
      killed = "";
      say(line(kill, styleText("dim", `  back in ${(ms / 1000).toFixed(1)} s`)));
    },
    stop() {
      clearInterval(timer);
      display?.clear();
      display?.done();
    },
  };
}

function cut(text: string, room: number): string {
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}
