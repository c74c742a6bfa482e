import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { withOwner } from "./backlink-support.ts";
import { act, fund, groupOn, linksOf, order } from "./given-requests.ts";
import { givenPostgres } from "../support/store.ts";
import { postgresMissing } from "../support/postgres.ts";
import type { TaskInput } from "../../src/manager/make-task.ts";
import { until } from "../studio/support.ts";
import { link, openScene } from "./support.ts";

withOwner(
  "[B11] [B18] a request that starts while its account moves has its link where the account is, whoever was first",
  async (scene) => {
    await fund(scene, 10_000);
    for (let round = 0; round < 8; round += 1) {
      const group_id = await groupOn(scene, ["a.example.com"]);
      const [account] = (await scene.ask("listAccounts", { params: { id: group_id } })).data;
      const made = await order(scene, { group_id });
      const move = async () => scene.api("PUT", `/accounts/${account?.id}`, { json: { website: "https://b.example.com" } });
      const [started, moved] = await Promise.all(
        round % 2 === 0 ? [act(scene, made, "start"), move()] : [move(), act(scene, made, "start")].toReversed(),
      );
      assert.equal(started?.status, 200, started?.text);
      const [link] = await linksOf(scene, made);
      assert.equal(link?.site_name, moved?.status === 200 ? "b.example.com" : "a.example.com", `the move was answered ${moved?.status}`);
      if (moved?.status !== 200) assert.equal(moved?.status, 409);
    }
  },
);

test(
  "[make] an account that brings its feed waits for the requests that get it before it is locked, as a farm's report does",
  { skip: postgresMissing ?? false },
  async (t) => {
    const given = await givenPostgres(t);
    const scene = await openScene(t, given);
    const taskOf = async (input: Partial<TaskInput>) =>
      scene.manager.makeTask({
        account: { email: "owner@example.com" },
        website: "https://studio.example.com",
        episodes: [{ title: "Episode" }],
        ...input,
      });
    const { taskId, requestId } = await taskOf({});
    await scene.manager.makeImport({ requestId, account: { email: "second@example.com" }, website: "https://other.example.com" });
    const farm = scene.farm("farm-1");
    await farm.start(taskId);
    await farm.complete(taskId, { link_post: link });

    const client = new pg.Client({ connectionString: given.databaseUrl });
    await client.connect();
    t.after(async () => client.end());
    await client.query("begin");
    await client.query("select from manager.requests where id = $1 for update", [requestId]);
    let isMade = false;
    const made = taskOf({ account: { email: "owner@example.com", link_rss: "https://studio.example.com/rss" } }).finally(() => {
      isMade = true;
    });
    const waits = async () =>
      ((await client.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")).rowCount ?? 0) >
      0;
    await until("somebody waits for the request", async () => isMade || (await waits()));
    assert.equal(isMade, false, "it changed the request's links without the request's lock");
    await client.query("select from manager.accounts where email = 'owner@example.com' for update nowait");
    await client.query("commit");
    await made;
    assert.equal((await farm.pull("?type=secondary"))[0]?.link_rss, "https://studio.example.com/rss");
  },
);
