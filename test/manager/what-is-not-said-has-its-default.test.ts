import assert from "node:assert/strict";
import { serviceTypes } from "../../src/contract/backlink-api.ts";
import { openManager } from "../../src/manager/manager.ts";
import { silentLog } from "../support/store.ts";
import { withOwner } from "./backlink-support.ts";
import { begin, complete, failForGood, fund, groupOn, linksOf, running } from "./given-requests.ts";
import { dataOf, link, withManager } from "./support.ts";

withManager(
  "[W3] [cancel] a task is queued, running, completed, failed or cancel, in the list and alone",
  async ({ farm, task, manager }) => {
    const one = farm("farm-1");
    const [queued, running_, completed, failed, canceled] = [await task(), await task(), await task(), await task(), await task()];
    for (const id of [running_, completed, failed, canceled]) await one.start(id);
    await one.complete(completed, { link_post: link });
    await one.fail(failed, { error_message: "no", retry: false });
    await manager.cancelTask(canceled);
    const shown = async (id: string) => dataOf(await one.read(id)).status;
    assert.deepEqual(
      [await shown(queued), await shown(running_), await shown(completed), await shown(failed), await shown(canceled)],
      ["queued", "running", "completed", "failed", "cancel"],
    );
    const listed = await one.pull();
    assert.deepEqual(
      new Set(listed.map(({ id, status }) => `${id} ${status}`)),
      new Set([`${queued} queued`, `${running_} running`]),
      "what has ended is not handed out",
    );
  },
);

withOwner("[B6] what is twice in one import is a duplicate, or overwritten where that is asked for", async ({ ask }) => {
  const accounts = ["first", "second"].map((note) => ({ website: "studio.example.com", username: "ann", note }));
  for (const [json, counted, note] of [
    [{}, { imported: 1, overwritten: 0, duplicates: 1 }, "first"],
    [{ overwrite: false }, { imported: 1, overwritten: 0, duplicates: 1 }, "first"],
    [{ overwrite: true }, { imported: 1, overwritten: 1, duplicates: 0 }, "second"],
  ] as const) {
    const answer = await ask("importGroup", { json: { name: "Imported", service_type: "podcast", accounts, ...json } });
    const { imported, overwritten, duplicates } = answer;
    assert.deepEqual({ imported, overwritten, duplicates }, counted, JSON.stringify(json));
    assert.equal((await ask("listAccounts", { params: { id: answer.group.id } })).data[0]?.note, note);
  }
});

withOwner("[B15] an order of nothing but a name and a price is for ten units of its service type", async (scene) => {
  await fund(scene, 10_000);
  for (const type of serviceTypes) {
    const made = await scene.ask("createRequest", { params: { type }, json: { name: "Least", auction_price: 50 } });
    const { target, type_request, group_id, website, priority, config, data, folder_urls, credits } = made;
    assert.deepEqual(
      { target, type_request, group_id, website, priority, config, data, folder_urls, held: credits.held },
      {
        target: 10,
        type_request: type,
        group_id: null,
        website: "",
        priority: 0,
        config: {},
        data: {},
        folder_urls: {},
        held: 500,
      },
    );
  }
});

withOwner("[B17] each field of a pending request can be changed, alone, and the rest stays", async (scene) => {
  await fund(scene, 10_000);
  const group_id = await groupOn(scene, ["a.example.com"]);
  let before = await scene.ask("createRequest", { params: { type: "podcast" }, json: { name: "Before", auction_price: 50 } });
  const params = { type: "podcast", id: before.id } as const;
  const changes = {
    group_id,
    name: "After",
    website: "https://target.example.com",
    auction_price: 60,
    target: 3,
    priority: 7,
    type_request: "normal",
    config: { tone: "calm" },
    data: { episodes: [{ title: "One", about: "A text" }] },
    folder_urls: { main: "https://drive.example.com/1" },
  };
  for (const [field, value] of Object.entries(changes)) {
    scene.clock.forwardMinutes(1);
    const changed = await scene.ask("changeRequest", { params, json: { [field]: value } });
    const { credits, result } = changed;
    assert.deepEqual(changed, { ...before, [field]: value, updated_at: new Date(scene.clock.now()).toISOString(), credits, result }, field);
    assert.deepEqual(await scene.ask("readRequest", { params }), changed);
    before = changed;
  }
  assert.deepEqual([before.credits.held, before.result], [180, "0 / 3"]);
});

withOwner("[B20] a link that no farm has had is nobody's; who holds it, or held it last, is shown", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"], "entity");
  const made = await running(scene, { group_id, target: 2, data: {} }, "entity");
  const servers = async () => (await linksOf(scene, made)).map(({ server_id, server_name }) => [server_id, server_name]);
  assert.deepEqual(await servers(), [
    [null, null],
    [null, null],
  ]);
  const [one, two] = await begin(scene.farm("farm-1"));
  const [first] = (await servers())[0] ?? [];
  assert.match(first ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(await servers(), [
    [first, "farm-1"],
    [first, "farm-1"],
  ]);
  await complete(scene.farm("farm-1"), one?.id ?? "");
  await failForGood(scene.farm("farm-1"), two?.id ?? "");
  assert.deepEqual(new Set((await servers()).map(String)), new Set([`${first},farm-1`]), "also when it has ended");
});

withOwner("[secrets] the operator's switch shows the values to whoever is signed in, and each time is written down", async (scene, t) => {
  const { store, vault, clock, ask, owner } = scene;
  const config = { host: "127.0.0.1", port: 0, allowedHosts: [], reveal: true };
  const open = await openManager({ store, vault, log: silentLog, config, clock });
  t.after(async () => open.close());
  const accounts = [{ website: "studio.example.com", username: "ann", password: "demo-password" }];
  const made = await ask("createGroup", { json: { name: "G", service_type: "podcast", accounts } });
  assert.ok("group" in made);
  const path = `/api/v1/backlink/groups/${made.group.id}/accounts`;
  const shown = async (url: string) => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${owner.token}` } });
    return ((await response.json()) as { data: { password: string | null; has_password: boolean }[] }).data[0];
  };
  assert.deepEqual([(await shown(open.url))?.password, (await shown(open.url))?.has_password], ["demo-password", true]);
  assert.equal((await shown(scene.manager.url))?.password, null);
  const { rows } = await store.raw("select email from manager.audit where action = 'secrets.read'");
  assert.deepEqual(rows, [{ email: owner.email }, { email: owner.email }]);
});
