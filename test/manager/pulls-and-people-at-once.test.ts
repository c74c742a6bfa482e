import assert from "node:assert/strict";
import { withOwner } from "./backlink-support.ts";
import { act, fund, groupOn, order, type ShownRequest } from "./given-requests.ts";
import { givenLinks } from "./many-links.ts";
import { withManager } from "./support.ts";

withManager("[race] twenty pulls of fifty at once share five hundred links, each goes to one", async (scene) => {
  await givenLinks(scene, { links: 500, site: "(array['studio.example.com', 'other.example.com'])[1 + i % 2]" });
  const pulls = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const sites = index % 2 === 0 ? "studio.example.com,other.example.com" : undefined;
      return (await scene.farm(`farm-${index}`).pull("?limit=50", { sites })).map(({ id }) => ({ id, worker: `farm-${index}` }));
    }),
  );
  const handed = pulls.flat();
  assert.equal(new Set(handed.map(({ id }) => id)).size, handed.length, "no link twice");
  assert.equal(handed.length, 500, "none is left while there are pulls that want more");
  const { rows } = await scene.store.raw("select id, server_name from manager.links where state = 'claimed'");
  const holders = new Map((rows as { id: string; server_name: string }[]).map(({ id, server_name }) => [id, server_name]));
  for (const { id, worker } of handed) assert.equal(holders.get(id), worker);
});

/** What a call may be answered while others change the same things. */
const answers = new Set([200, 404, 409, 422]);
const ROUNDS = 4;

withOwner(
  "[race] [B18] pulls, reports, starts, stops, deletions and switches at once: each is done, or refused with a reason",
  async (scene) => {
    await fund(scene, 1_000_000);
    const hosts = Array.from({ length: 40 }, (_, index) => `${index % 8}.example.com`);
    const groupId = await groupOn(scene, hosts);
    const accounts = (await scene.ask("listAccounts", { params: { id: groupId }, query: { limit: 100 } })).data;
    const seen: [string, number, string][] = [];
    const note = async (what: string, answer: Promise<{ status: number; text: string }>): Promise<void> => {
      const { status, text } = await answer;
      seen.push([what, status, text]);
    };

    let isOver = false;
    // What is stopped between two looks brings nothing; in the end the steady request's links are there for somebody.
    const works = async (worker: string): Promise<void> => {
      for (let brought = 0; brought < ROUNDS;) {
        const wasOver = isOver;
        const pulled = await scene.call("/links?limit=10", { worker });
        await note("pull", Promise.resolve(pulled));
        const farm = scene.farm(worker);
        const links = (pulled.body.data ?? []) as { id: string; link_id: string }[];
        if (links.length > 0) brought += 1;
        else if (wasOver) return;
        for (const [index, { id, link_id }] of links.entries()) {
          await note("start", farm.start(link_id));
          if (index % 3 === 0) await note("fail", farm.fail(link_id));
          else await note("complete", farm.complete(link_id, { link_post: `https://a.example.com/${link_id}` }));
          if (index % 3 === 2) await note("account", farm.account(id, { link_rss: `https://a.example.com/${id}.rss` }));
        }
        await note("checks", scene.call("/checks?limit=10", { worker }));
      }
    };
    const orders = async (made: ShownRequest): Promise<void> => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await note("start request", act(scene, made, "start"));
        await note("stop", act(scene, made, "stop"));
        await note("restart", act(scene, made, "restart"));
      }
      await note("delete", scene.api("DELETE", `/podcast/${made.id}`));
    };
    const switches = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS * 2; round += 1) {
        const active = round % 2 === 1;
        await note("group", scene.api("PUT", `/groups/${groupId}`, { json: { status: active ? "active" : "inactive" } }));
        const { id = "" } = accounts[round] ?? {};
        await note("account off", scene.api("PUT", `/accounts/${id}`, { json: { active } }));
        await note(
          "check all",
          scene.api("POST", `/groups/${groupId}/accounts/check-all`).then((answer) => ({ ...answer, status: 200 })),
        );
      }
    };

    const made: ShownRequest[] = [];
    for (let count = 0; count < 4; count += 1) made.push(await order(scene, { group_id: groupId, target: 20 }));
    await act(scene, made[0]!, "start");
    await act(scene, await order(scene, { group_id: groupId, target: 20 }), "start");
    const storm = Promise.all([...made.map(orders), switches()]).finally(() => (isOver = true));
    await Promise.all([storm, ...["farm-1", "farm-2", "farm-3", "farm-4"].map(works)]);
    const odd = seen.filter(([, status]) => !answers.has(status));
    assert.deepEqual(odd, []);
    const done = new Set(seen.filter(([, status]) => status === 200).map(([what]) => what));
    for (const what of ["start", "start request", "stop", "restart", "delete", "group", "account off"])
      assert.ok(done.has(what), `${what} was never done`);
    assert.ok(done.has("complete") || done.has("fail"), "no farm ever reported");
    assert.ok(seen.filter(([what]) => what === "pull").every(([, status]) => status === 200));
  },
);
