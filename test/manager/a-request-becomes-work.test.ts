import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { withOwner } from "./backlink-support.ts";
import { act, balance, begin, complete, episodes, failForGood, fund, groupOn, linksOf, order, read, running } from "./given-requests.ts";

withOwner(
  "[B18] one account of each site posts, in the order of the oldest, until the target is given out; the rest wait",
  async (scene) => {
    await fund(scene, 10_000);
    const group_id = await groupOn(scene, ["b.example.com", "a.example.com", "b.example.com", "c.example.com", "d.example.com"]);
    const made = await running(scene, { group_id, target: 7, data: { episodes: episodes(3) } });
    const tasks = await scene.farm("farm-1").pull("?limit=100");
    assert.deepEqual(
      tasks.map(({ domain, username, data_content }) => [domain, username, data_content.map(({ title }) => title)]),
      [
        ["b.example.com", "user-1", ["Episode 1", "Episode 2", "Episode 3"]],
        ["a.example.com", "user-2", ["Episode 1", "Episode 2", "Episode 3"]],
        ["c.example.com", "user-4", ["Episode 1"]],
      ],
    );
    assert.deepEqual([...new Set(tasks.map(({ request_id }) => request_id))], [made.id]);
    const ids = tasks.map(({ data_content }) => data_content.map(({ id }) => id));
    assert.deepEqual(ids[0], ids[1], "an episode is the same one everywhere");
    assert.equal(new Set(ids[0]).size, 3);
    const links = await linksOf(scene, made);
    assert.deepEqual(
      links.map(({ site_name, kind, status, max_retries }) => [site_name, kind, status, max_retries]),
      [
        ["d.example.com", "secondary", "pending", 3],
        ["c.example.com", "primary", "queued", 3],
        ["b.example.com", "secondary", "pending", 3],
        ["a.example.com", "primary", "queued", 3],
        ["b.example.com", "primary", "queued", 3],
      ],
    );
  },
);

withOwner("[B18] what an episode says reaches the farm as it was given, no more of them than the target", async (scene) => {
  await fund(scene, 10_000);
  const group_id = await groupOn(scene, ["a.example.com"]);
  const given = {
    id: "ep-1",
    title: "Trà & <b>bánh</b>",
    about: "<p>1</p>",
    image_url: "https://i.example.com/1.jpg",
    audio_url: "https://i.example.com/1.mp3",
    language: "vi",
    voice: "hanoi",
  };
  await running(scene, { group_id, target: 1, data: { episodes: [given, { title: "Two", about: "A text" }] } });
  const [task] = await scene.farm("farm-1").pull();
  assert.deepEqual(task?.data_content, [given]);
  assert.equal(task?.target, 1);
});

withOwner("[B18] without an episode, a group or an active account it does not start, and says why", async (scene) => {
  await fund(scene, 10_000);
  const group_id = await groupOn(scene, ["a.example.com"]);
  const empty = await scene.ask("createGroup", { json: { name: "Empty", service_type: "podcast" } });
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ group_id, data: {} }, /data: there are no episodes/],
    [{ group_id: null }, /group_id: the request has no group/],
    [{ group_id: (empty as { id: string }).id }, /group_id: the group has no active account/],
    [{ group_id, data: { content_ids: [randomUUID()] } }, /content_ids/],
  ];
  for (const [body, why] of cases) {
    const made = await order(scene, body);
    const answer = await act(scene, made, "start");
    assert.equal(answer.status, 422, answer.text);
    assert.match(answer.body.message, why);
    assert.deepEqual(await read(scene, made), made, "it stays as it was");
  }
});

withOwner("[B18] nothing starts or restarts on an inactive group until it is active again", async (scene) => {
  await fund(scene, 10_000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"], "entity");
  const switchTo = async (status: string) => scene.ask("changeGroup", { params: { id: group_id }, json: { status } });
  const [first, second] = [await running(scene, { group_id }, "entity"), await order(scene, { group_id }, "entity")];
  const farm = scene.farm("farm-1");
  for (const { id } of await begin(farm)) await failForGood(farm, id);
  await switchTo("inactive");
  for (const [one, what] of [
    [second, "start"],
    [first, "restart"],
  ] as const) {
    const answer = await act(scene, one, what);
    assert.deepEqual([answer.status, answer.body.code], [409, "conflict"], what);
    assert.match(answer.body.message, /the group "Tea" is inactive; make it active first/);
  }
  assert.deepEqual(await read(scene, second), second, "it stays as it was");
  await switchTo("active");
  for (const [one, what] of [
    [second, "start"],
    [first, "restart"],
  ] as const)
    assert.equal((await act(scene, one, what)).body.status, "running", what);
  await switchTo("inactive");
  assert.equal((await act(scene, second, "start")).status, 200, "it runs already");
});

withOwner("[B18] two starts at once make the work once", async (scene) => {
  await fund(scene, 10_000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  const made = await order(scene, { group_id, target: 4 });
  const answers = await Promise.all(Array.from({ length: 5 }, async () => act(scene, made, "start")));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  assert.equal((await read(scene, made)).created_links, 2);
});

withOwner("[B18] of the other services each account makes one link, up to the target, the episodes in turn", async (scene) => {
  await fund(scene, 10_000);
  const group_id = await groupOn(scene, ["a.example.com", "a.example.com", "b.example.com", "c.example.com"], "entity");
  const made = await running(scene, { group_id, target: 3, data: { episodes: episodes(2) } }, "entity");
  const farm = scene.farm("farm-1");
  const tasks = await begin(farm);
  assert.deepEqual(
    tasks.map(({ username, data_content }) => [username, data_content.map(({ title }) => title)]),
    [
      ["user-1", ["Episode 1"]],
      ["user-2", ["Episode 2"]],
      ["user-3", ["Episode 1"]],
    ],
  );
  for (const { id } of tasks) await complete(farm, id);
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits], ["completed", "3 / 3", { held: 150, spent: 150 }]);

  const website = 'https://target.example.com/?a=1&b="2"';
  const plain = await running(scene, { group_id, name: "Our tea", website, target: 9, data: {} }, "social");
  assert.equal(plain.created_links, 4);
  const [task] = await farm.pull();
  assert.equal(task?.data_content[0]?.title, "Our tea");
  assert.match(task?.data_content[0]?.about ?? "", /<a href="https:\/\/target\.example\.com\/\?a=1&amp;b=/);
});

withOwner("[B18] a request is completed when its target is, and what was not brought is given back", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  const made = await running(scene, { group_id, target: 10 });
  assert.equal(await balance(scene), 500);
  const farm = scene.farm("farm-1");
  const [one, two] = await begin(farm);
  await complete(farm, one?.id ?? "");
  assert.deepEqual([(await read(scene, made)).status, (await read(scene, made)).result], ["running", "2 / 10"]);
  scene.clock.forwardMinutes(1);
  await complete(farm, two?.id ?? "");
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits], ["completed", "4 / 10", { held: 200, spent: 200 }]);
  assert.equal(ended.completed_at, new Date(scene.clock.now()).toISOString());
  assert.equal(await balance(scene), 800);
});

withOwner("[B18] when an account fails for good the next one of its site takes over; without one the request fails", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com", "a.example.com", "a.example.com"]);
  const made = await running(scene, { group_id });
  const farm = scene.farm("farm-1");
  const posting = async () =>
    (await linksOf(scene, made)).filter(({ kind }) => kind === "primary").map(({ username, status }) => [username, status]);
  assert.deepEqual(await posting(), [["user-1", "queued"]]);
  const [first] = await begin(farm);
  await farm.fail(first?.id ?? "", { error_message: "the site was down" });
  assert.deepEqual(await posting(), [["user-1", "pending"]], "it is tried again first");
  scene.clock.forwardMinutes(2);
  await begin(farm);
  await failForGood(farm, first?.id ?? "");
  assert.deepEqual(
    (await posting()).toSorted(),
    [
      ["user-1", "failed"],
      ["user-3", "queued"],
    ].toSorted(),
  );
  const [second] = await begin(farm);
  assert.deepEqual([second?.username, second?.data_content], ["user-3", first?.data_content]);
  assert.equal((await read(scene, made)).created_links, 4, "its waiting import is gone");
  await failForGood(farm, second?.id ?? "");
  const [third] = await begin(farm);
  assert.equal(third?.username, "user-4");
  assert.equal((await read(scene, made)).status, "running");
  await failForGood(farm, third?.id ?? "");
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits.held, ended.completed_at], ["failed", "0 / 2", 0, null]);
  assert.equal(await balance(scene), 1000);
  await complete(farm, second?.id ?? "");
  assert.deepEqual([(await read(scene, made)).status, await balance(scene)], ["completed", 900], "a late complete is a fact");
});

withOwner("[B18] who failed and was done after all ends the work of who took over: nothing is posted twice", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com", "a.example.com"]);
  const made = await running(scene, { group_id, target: 10 });
  const farm = scene.farm("farm-1");
  const [first, elsewhere] = await begin(farm);
  await failForGood(farm, first?.id ?? "");
  const second = (await begin(farm)).find(({ username }) => username === "user-3");
  await complete(farm, first?.id ?? "");
  const statusOf = async (id = "") => ((await farm.read(id)).body.data as { status: string }).status;
  assert.deepEqual([await statusOf(second?.id), await statusOf(elsewhere?.id)], ["cancel", "running"]);
  assert.equal((await scene.api("POST", `/podcast/${made.id}/restart`)).status, 409);
  await complete(farm, elsewhere?.id ?? "");
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits.held], ["completed", "4 / 10", 200]);
});

withOwner("[B18] what is open beyond the target is canceled when the target is reached", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com"]);
  const made = await running(scene, { group_id });
  const more = await scene.manager.makeTask({
    requestId: made.id,
    groupId: group_id,
    account: { email: "b@example.com" },
    website: "https://b.example.com",
    episodes: [{ title: "One more" }],
  });
  const farm = scene.farm("farm-1");
  for (const { id } of (await begin(farm)).filter(({ id }) => id !== more.taskId)) await complete(farm, id);
  assert.deepEqual((await linksOf(scene, made)).map(({ site_name, status }) => [site_name, status]).toSorted(), [
    ["a.example.com", "completed"],
    ["b.example.com", "canceled"],
  ]);
  assert.equal((await act(scene, made, "restart")).status, 409, "nothing more was ordered");
  assert.equal(await balance(scene), 900);
});

withOwner("[B18] secondaries import the feed of the first primary, and hold up no completion", async (scene) => {
  await fund(scene, 1000);
  const group_id = await groupOn(scene, ["a.example.com", "b.example.com"]);
  const made = await running(scene, { group_id });
  const farm = scene.farm("farm-1");
  const [first] = await begin(farm);
  await complete(farm, first?.id ?? "");
  assert.equal((await read(scene, made)).status, "completed");
  const statuses = async () => (await linksOf(scene, made)).map(({ status, link_rss }) => [status, link_rss]);
  assert.deepEqual(await statuses(), [
    ["pending", ""],
    ["completed", ""],
  ]);
  const link_rss = "https://a.example.com/feed.xml";
  await farm.account(first?.id ?? "", { link_rss });
  assert.deepEqual(await statuses(), [
    ["queued", link_rss],
    ["completed", link_rss],
  ]);
  const [second] = await begin(farm);
  assert.deepEqual([second?.kind, second?.link_rss], ["secondary", link_rss]);
  await complete(farm, second?.id ?? "");
  const ended = await read(scene, made);
  assert.deepEqual([ended.status, ended.result, ended.credits.held], ["completed", "2 / 2", 100], "an import costs nothing");
});

withOwner("[B18] a task that nobody ordered has a status too, and costs nothing", async (scene) => {
  const made = await scene.manager.makeTask({
    account: { email: "a@example.com" },
    website: "https://a.example.com",
    episodes: [{ title: "One" }],
  });
  const status = async () => {
    const { rows } = await scene.store.raw("select status from manager.requests where id = $1", [made.requestId]);
    return (rows[0] as { status: string }).status;
  };
  const farm = scene.farm("farm-1");
  await begin(farm);
  assert.equal(await status(), "running");
  await complete(farm, made.taskId);
  assert.equal(await status(), "completed");
  await scene.manager.makeTask({
    requestId: made.requestId,
    account: { email: "b@example.com" },
    website: "https://a.example.com",
    episodes: [{ title: "Two" }],
  });
  assert.equal(await status(), "running");
  const { rows } = await scene.store.raw("select * from manager.credits");
  assert.deepEqual(rows, []);
});
