import { styleText } from "node:util";
import { harmless } from "../table.ts";
import type { Finding } from "./check-answers.ts";

const levels = ["error", "warning", "hint"] as const;
const colours = { error: "red", warning: "yellow", hint: "cyan" } as const;
const MARGIN = " ".repeat(9);

/**
 * What is wrong with a feed, for a person: what must be mended first, one kind once, however many episodes have it.
 * @returns lines, without one at the end
 */
export function renderFindings(findings: readonly Finding[], stream: NodeJS.WriteStream = process.stdout): string {
  const rank = ({ level }: Finding): number => levels.indexOf(level);
  return findings
    .toSorted((a, b) => rank(a) - rank(b))
    .map((finding) => lines(finding, stream).join("\n"))
    .join("\n");
}

function lines({ level, code, where, say, fix, times, line = 0, asks }: Finding, stream: NodeJS.WriteStream): string[] {
  const head = styleText(colours[level], level.padEnd(7), { stream });
  const place = styleText("bold", harmless(line > 0 ? `${where}, line ${line}` : where), { stream });
  const rule = styleText("dim", asks ? `${code}, ${asks}` : code, { stream });
  const shown = [`${head}  ${place}: ${harmless(say)}`, `${MARGIN}${harmless(fix)}  ${rule}`];
  if (times > 1) shown.push(`${MARGIN}And ${(times - 1).toLocaleString("en")} more like this.`);
  return shown;
}

/** How many of each; `text` is such as "2 errors, 1 warning". */
export function countFindings(findings: readonly Finding[]): { errors: number; warnings: number; hints: number; text: string } {
  const [errors, warnings, hints] = levels.map((level) =>
    findings.filter((one) => one.level === level).reduce((sum, { times }) => sum + times, 0),
  ) as [number, number, number];
  const some = [plural(errors, "error"), plural(warnings, "warning"), plural(hints, "hint")].filter(Boolean).join(", ");
  return { errors, warnings, hints, text: some || "no problem was found" };
}

function plural(count: number, what: string): string {
  return count === 0 ? "" : `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}
