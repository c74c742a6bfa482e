import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import pg from "pg";
import { postgresMissing } from "../../support/postgres.ts";
import { givenPostgres } from "../../support/store.ts";
import { signedIn, until } from "../support.ts";
import { openScene, type PodopsScene } from "./support.ts";

/** With the embedded database, one follows the other anyway. */
const options = { skip: postgresMissing ?? false };

/** A studio, and somebody else on its database. */
async function opened(t: TestContext): Promise<{ scene: PodopsScene; rival: pg.Client; somebodyWaits: () => Promise<void> }> {
  const given = await givenPostgres(t);
  const scene = await openScene(t, given);
  const rival = new pg.Client({ connectionString: given.databaseUrl });
  await rival.connect();
  t.after(async () => rival.end());
  const somebodyWaits = async () =>
    void (await until("somebody waits for a lock", async () => {
      const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
      return (await rival.query(waiting)).rowCount;
    }));
  return { scene, rival, somebodyWaits };
}

test("[build] what is taken away or scheduled while a build runs, the build leaves alone, and so does the history", options, async (t) => {
  const { scene, rival, somebodyWaits } = await opened(t);
  const guid = await scene.production("slow-mornings");
  const [gone, later, out] = [
    await scene.episode(guid, "episode-gone"),
    await scene.episode(guid, "episode-later"),
    await scene.episode(guid, "episode-out"),
  ];
  await rival.query("begin");
  await rival.query("delete from studio.episodes where guid = $1", [gone]);
  await rival.query("update studio.episodes set state = 'scheduled', publish_at = '2099-01-01' where guid = $1", [later]);
  const building = scene.build(guid);
  await somebodyWaits();
  await rival.query("commit");
  assert.equal((await building).status, 201);
  assert.deepEqual(
    (await scene.studio.history()).map(({ episode }) => episode),
    [out],
  );
  const { body } = await scene.call("GET", `/a/v1/resource/${guid}/episode/episode-later`);
  assert.deepEqual([body.state, new Date(body.metadata.date).getUTCFullYear()], ["scheduled", 2099]);
});

test("[build] whoever changes an episode waits for a build that runs, with nothing in hand that the build needs", options, async (t) => {
  const { scene, rival, somebodyWaits } = await opened(t);
  const guid = await scene.production("slow-mornings");
  const [one, two, three] = [
    await scene.episode(guid, "episode-one"),
    await scene.episode(guid, "episode-two"),
    await scene.episode(guid, "episode-3rd"),
  ];
  const maya = await signedIn(scene.studio);
  const web = async (method: string, path: string, json?: unknown) => maya.call(method, `/shows/slow-mornings/episodes/${path}`, json);
  const { audio } = (await rival.query("select audio from studio.episodes where guid = $1", [three])).rows[0];
  const api = `/a/v1/resource/${guid}/episode/episode-two`;
  const json = { description: { title: "Two" }, enclosure: { uri: "episode-two.wav" } };
  const changes: [string, number, () => Promise<{ status: number }>][] = [
    ["published in the web studio", 200, async () => maya.publish(one)],
    ["scheduled", 200, async () => web("POST", `${two}/schedule`, { at: "2099-01-01T09:00" })],
    ["not scheduled any more", 200, async () => web("POST", `${two}/unschedule`)],
    ["changed in the web studio", 200, async () => web("PUT", three, { title: "Three", audio })],
    ["taken away in the web studio", 204, async () => web("DELETE", three)],
    ["changed by the API", 201, async () => scene.call("PUT", api, { json })],
    ["built", 201, async () => scene.build(guid)],
    ["taken away by the API", 204, async () => scene.call("DELETE", api)],
    ["taken away with its show", 204, async () => scene.call("DELETE", `/a/v1/resource/${guid}/show/slow-mornings`)],
  ];
  for (const [what, status, change] of changes) {
    await rival.query("begin");
    await rival.query("select guid from studio.productions for update");
    const changed = change();
    await somebodyWaits();
    await assert.doesNotReject(rival.query("select guid from studio.episodes for update nowait"), what);
    await rival.query("commit");
    assert.equal((await changed).status, status, what);
  }
});

test("[P8] a show that is published while its change waits keeps its name, which is in the feed's address", options, async (t) => {
  const { scene, rival, somebodyWaits } = await opened(t);
  const guid = await scene.production("slow-mornings");
  await rival.query("begin");
  await rival.query("select guid from studio.productions for update");
  const json = { metadata: { name: "slow-evenings" }, description: { title: "Slow Evenings" } };
  const changed = scene.call("PUT", `/a/v1/resource/${guid}/show/${guid}`, { json });
  await somebodyWaits();
  await rival.query("update studio.productions set published = true");
  await rival.query("commit");
  const { status, body } = await changed;
  assert.deepEqual([status, body.errors?.map((one: { path: string }) => one.path)], [400, ["metadata.name"]]);
});
