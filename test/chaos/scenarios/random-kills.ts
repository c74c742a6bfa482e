import { killAtRandom } from "../support/kill-loop.ts";
import { tiers } from "../support/paper-protocol.ts";
import type { ChaosContext, ChaosScenario } from "../support/scenario.ts";
import { postgresMissing } from "../../support/postgres.ts";
import { verdictOf, World, type WorldEvidence } from "../support/world.ts";

const OPEN = { pglite: 8, postgres: 24 } as const;
const LONGEST_MS = 1000;
/** A farm on PostgreSQL starts in a third of the time. */
const SHARE = { pglite: 1 / 3, postgres: 2 / 3 } as const;
const END_MS = 90_000;
/** Of the kills that met a publish request of the list tier: so many of its episodes may be left to a person. */
const LIST_IN_DOUBT = 0.005;
/** A storm may meet one episode twice in a row, which is what a person is asked about; a hundred kills say nothing of the share. */
const FEW = 3;
const SAY_EVERY = 25;

/** Kill -9 at any moment while a stream of tasks is worked on, four at a time, over all three tiers. */
export const scenario: ChaosScenario = {
  name: "random-kills",
  title: "kill -9 at random",
  async run(context) {
    const backends = postgresMissing ? (["pglite"] as const) : (["pglite", "postgres"] as const);
    const kills = context.size(120, 10_000);
    const share = (backend: (typeof backends)[number]): number => Math.ceil(backends.length > 1 ? kills * SHARE[backend] : kills);
    const worlds = await Promise.all(backends.map(async (backend) => killWorld(context, backend, share(backend))));
    const evidences = worlds.map(({ evidence }) => evidence);
    const sent = worlds.reduce((sum, { sent: one }) => sum + one, 0);
    const inDoubt = (tier: (typeof tiers)[number]): number => evidences.reduce((sum, evidence) => sum + evidence.inDoubt[tier], 0);
    const allowed = Math.max(FEW, Math.floor(sent * LIST_IN_DOUBT));
    const problems = [
      ...(inDoubt("drafts") > 0 ? [`${inDoubt("drafts")} episodes of the tier drafts are in doubt; none may be.`] : []),
      ...(inDoubt("list") > allowed ? [`${inDoubt("list")} episodes of the tier list are in doubt after ${sent} kills at its click.`] : []),
    ];
    const note = `in doubt: ${tiers.map((tier) => `${tier} ${inDoubt(tier)}`).join(", ")}; ${sent} kills met a click of the tier list`;
    return verdictOf(scenario.title, evidences, problems, note);
  },
};

async function killWorld(
  context: ChaosContext,
  backend: "pglite" | "postgres",
  kills: number,
): Promise<{ evidence: WorldEvidence; sent: number }> {
  const world = await World.open(context, { backend, successorsDie: true, site: { dropReply: 0.02, reset: 0.01, lagMs: 200 } });
  const dataDir = await world.dataDir();
  const fed = new AbortController();
  const feeding = world.feed(
    OPEN[backend],
    (index) => ({ tier: tiers[index % tiers.length]!, episodes: 1 + (index % 2), signsIn: index % 8 === 0 }),
    fed.signal,
  );
  feeding.catch(() => undefined);
  const onKill = (count: number): void => {
    if (count % SAY_EVERY === 0) context.say(`${backend}: ${count} of ${kills} kills, ${world.asked.length} episodes asked for`);
  };
  const farm = await killAtRandom(world, dataDir, { kills, longestMs: LONGEST_MS, onKill });
  fed.abort();
  await feeding;
  if (!(await world.settled(farm, END_MS))) context.say(`${backend}: not all has ended: ${JSON.stringify(await farm.status())}`);
  const evidence = await world.evidence(farm);
  await farm.stop();
  return { evidence, sent: world.faultsAfterSend("list") };
}
