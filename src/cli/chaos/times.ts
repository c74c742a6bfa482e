import type { HistoryEntry } from "../../manager/history.ts";
import type { ChaosEvidence } from "./verdict.ts";

/**
 * How long each fault was felt, read off the manager's history: until somebody said anything again, and until the last of
 * the tasks that were under way was reported.
 * @param faults epoch ms
 */
export function timesOf(faults: readonly number[], heard: readonly HistoryEntry[]): Pick<ChaosEvidence, "detectMs" | "recoverMs"> {
  const calls = heard.map(({ at, ...entry }) => ({ ...entry, at: at.getTime() }));
  const first = (action: string, taskId: string): number =>
    calls.find((call) => call.action === action && call.taskId === taskId && call.status === 200)?.at ?? Number.POSITIVE_INFINITY;
  const tasks = [...new Set(calls.map(({ taskId }) => taskId).filter((id) => id !== null))].map((id) => ({
    began: first("start", id),
    ended: first("complete", id),
  }));
  const detectMs: number[] = [];
  const recoverMs: number[] = [];
  for (const fault of faults) {
    const sign = calls.find(({ at }) => at > fault);
    if (sign) detectMs.push(sign.at - fault);
    const broken = tasks.filter(({ began, ended }) => began <= fault && ended > fault && ended < Number.POSITIVE_INFINITY);
    if (broken.length > 0) recoverMs.push(Math.max(...broken.map(({ ended }) => ended)) - fault);
  }
  return { detectMs, recoverMs };
}
