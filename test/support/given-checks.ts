import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../src/contract/failures.ts";
import type { Engine } from "../../src/coordinator/engine.ts";
import type { World } from "./given-engine.ts";
import type { Act, Script } from "./scripted-worker.ts";

/** A check as the manager hands it out. */
export function aCheck(id: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  const [domain, email, password] = ["studio.example.com", `${id}@example.com`, "demo-password"];
  return { id, account_id: `account-${id}`, domain, email, password, twofa: "", app_password: "", cookie: "", ...over };
}

/** The manager wants these sign-ins tried. */
export function order(world: World, ...checks: Record<string, unknown>[]): void {
  world.manager.checks ??= new Map();
  for (const check of checks) world.manager.checks.set(String(check["id"]), check);
}

/** What was reported; null: nothing yet. */
export function answerOf(world: World, id: string): { ok: boolean; why: string } | null {
  const { ok, error_message: why = "" } = world.manager.checks?.get(id) ?? {};
  return ok === undefined ? null : { ok: ok === true, why: String(why) };
}

export const answered = (world: World, id: string) => (): boolean => answerOf(world, id) !== null;

/** A sign-in as a worker does it: asked for, typed, judged. `site` says how it goes; the submits are written down. */
export function signIn(
  submits: string[],
  site: (taskId: string, nth: number) => "in" | "hang" | Failure | Promise<"in" | Failure>,
): Script {
  return async (point, { taskId, calls }): Promise<Act> => {
    if (point !== "sign-in") return;
    const may = await calls.maySubmitCredentials();
    if (!may.allowed) throw new Failure("account.budget", may.why);
    submits.push(taskId);
    const word = await site(taskId, submits.length);
    if (word === "hang") return "hang";
    const refused = word !== "in" && (word.code === "account.refused" || word.code === "totp.refused");
    await calls.credentialsJudged(word === "in" ? "accepted" : refused ? "refused" : "unclear");
    if (word !== "in") throw word;
    await calls.saveSession({ cookies: [], origins: [] }, "session=demo", { kind: "begun" });
  };
}

/** Virtual time stands still while a farm works: hashing passwords takes real time, in which it would lose its claims. @param hangs it never ends */
export function waitsForWork(world: World, engine: Engine, hangs: () => boolean = () => false): void {
  const { breathe } = world.clock;
  world.clock.breathe = async () => {
    do await breathe();
    while (engine.status().running.length > 0 && !hangs() && (await delay(2, true)));
  };
}
