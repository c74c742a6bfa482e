import type { TestContext } from "node:test";
import type { StudioConfig } from "../../../src/studio/context.ts";
import { givenStudio } from "../../studio/support.ts";
import { podcrew } from "../../support/podcrew.ts";
import { givenPglite } from "../../support/store.ts";

/** A studio with one account, and the commands as its operator runs them: beside its data folder. */
export async function givenOperator(t: TestContext, config: Partial<StudioConfig> = {}) {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given, { config });
  await studio.accounts.create({ email: "maya@example.com", password: "demo-password", secondFactor: "none", name: "Maya" });
  const env = { PODCREW_DATA: given.dataDir, STUDIO_PORT: new URL(studio.url).port };
  const start = (args: string[], more: Record<string, string> = {}) => podcrew(t, args, { env: { ...env, ...more }, cwd: given.dataDir });
  return {
    studio,
    start,
    dataDir: given.dataDir,
    /** To its end. */
    async run(args: string[], more: Record<string, string> = {}) {
      const child = start(args, more);
      return { code: await child.ended(120_000), out: child.stdout(), err: child.stderr() };
    },
    /** What a player gets. */
    async feed(name: string): Promise<string> {
      const answer = await fetch(`${studio.url}/feeds/${name}.xml`, { signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error(`the feed was answered with ${answer.status}`);
      return answer.text();
    },
  };
}
