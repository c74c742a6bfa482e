import { onlyStatuses, type LoadOutcome } from "./load.ts";
import type { Row } from "./report.ts";
import type { Owner, Scene } from "./scene.ts";
import type { Sizes } from "./sizes.ts";

const AT_ONCE = 50;
/** What a round's balance suffices for. */
const AFFORDED = 25;
const COST = 10;

/** Requests that are made at the same time against a balance that suffices for half of them: none may get credits that there are not. */
export async function measureRaces(scene: Scene, { raceRounds }: Sizes): Promise<Row[]> {
  const owner = await scene.addOwner("racer", 0);
  const outcomes: LoadOutcome[] = [];
  let overspent = 0;
  for (let round = 0; round < raceRounds; round += 1) {
    await scene.manager.addCredits({ email: owner.email, amount: AFFORDED * COST });
    outcomes.push(await race(scene, owner));
    const { balance, ordered } = await readBooks(scene, owner.id);
    if (ordered + balance !== (round + 1) * AFFORDED * COST) throw new Error(`round ${round + 1}: the ledger is not what was ordered`);
    overspent = Math.max(overspent, -balance);
  }
  const sum = (read: (outcome: LoadOutcome) => number): number => outcomes.reduce((total, outcome) => total + read(outcome), 0);
  const of = (status: number): string => sum(({ statuses }) => statuses[status] ?? 0).toLocaleString("en");
  return [
    {
      what: `${sum(({ calls }) => calls).toLocaleString("en")} creates, ${AT_ONCE} at once on one balance`,
      backend: scene.backend,
      perSecond: sum(({ calls }) => calls) / sum(({ seconds }) => seconds),
      overspent,
      note: `${of(201)} made, ${of(402)} refused, ${overspent} credits overspent`,
      goal: "0 overspent",
      met: overspent === 0,
    },
  ];
}

async function race({ manager, load }: Scene, { headers }: Owner): Promise<LoadOutcome> {
  const body = JSON.stringify({ name: "a race", auction_price: 1, target: COST });
  const call = { method: "POST", path: "/api/v1/backlink/social", headers, body } as const;
  const outcome = await load.run({ url: manager.url, calls: [call], connections: AT_ONCE, count: AT_ONCE, seconds: 60 });
  onlyStatuses(outcome, 201, 402);
  return outcome;
}

async function readBooks({ store }: Scene, ownerId: string): Promise<{ balance: number; ordered: number }> {
  const { rows } = await store.raw(
    `select (select sum(amount) from manager.credits where user_id = $1)::int as balance,
       (select coalesce(sum(auction_price * target), 0) from manager.requests where user_id = $1)::int as ordered`,
    [ownerId],
  );
  return rows[0] as { balance: number; ordered: number };
}
