import { onlyStatuses } from "./load.ts";
import type { Row } from "./report.ts";
import type { Scene } from "./scene.ts";
import type { Sizes } from "./sizes.ts";

const GOAL_SECONDS = 10;
const IMPORTS = 3;
const SITES = 100;

/** How long it takes to import accounts with their secrets, in one call. The middle one of three. */
export async function measureImports({ backend, store, manager, load, addOwner }: Scene, { imported }: Sizes): Promise<Row[]> {
  const owner = await addOwner("importer", 0);
  const accounts = Array.from({ length: imported }, (_, index) => ({
    website: `https://s${index % SITES}.example.com`,
    email: `user-${index}@example.com`,
    username: `user-${index}`,
    password: `demo-password-${index}`,
  }));
  const body = JSON.stringify({ name: "imported", service_type: "podcast", accounts });
  const call = { method: "POST", path: "/api/v1/backlink/groups/import", headers: owner.headers, body } as const;
  const outcome = await load.run({ url: manager.url, calls: [call], connections: 1, count: IMPORTS, seconds: IMPORTS * 60 });
  onlyStatuses(outcome, 200, 201);
  const { rows } = await store.raw(
    "select count(*) as kept from manager.accounts a join manager.groups g on g.id = a.group_id where g.user_id = $1",
    [owner.id],
  );
  const [{ kept } = { kept: 0 }] = rows as { kept: number }[];
  if (kept !== imported * outcome.calls) throw new Error(`${kept} accounts of ${imported * outcome.calls} were imported`);
  const seconds = outcome.p50Ms / 1000;
  return [
    {
      what: `import of ${imported.toLocaleString("en")} accounts`,
      backend,
      perSecond: imported / seconds,
      note: `${seconds.toFixed(1)} s`,
      goal: `<= ${GOAL_SECONDS} s`,
      met: seconds <= GOAL_SECONDS,
    },
  ];
}
