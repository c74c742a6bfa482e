import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { dataOf, withManager } from "./support.ts";

const title = "Tập 1: SEO On-page cơ bản";
const about = "<article><p>Nội dung tập 1… \u{1F399}</p></article>";

withManager("[W2] [W4] a task shows account, site and episodes as they were given", async ({ manager, farm }) => {
  const requestId = randomUUID();
  const episodeId = randomUUID();
  const made = await manager.makeTask({
    account: {
      email: "pod.real@example.com",
      username: "realpoduser",
      password: "demo-password",
      pass_mail: "demo mail",
      twofa: " jbsw y3dp ehpk 3pxp ",
      app_password: "demo app pass",
      cookie: "session=demo; csrf=demo",
      api_token: "demo-api-token",
    },
    website: "https://Studio.Example.com:443/login",
    requestWebsite: "https://target.example.com",
    episodes: [
      { id: episodeId, title, about, image_url: "https://files.example.com/1.png" },
      { title: "Two", audio_url: "https://files.example.com/2.mp3", language: "vi" },
    ],
    requestId,
    target: 100,
  });
  const [task] = await farm("farm-1").pull("?type=primary&limit=5");
  assert.ok(task);
  const { data_content: episodes, account_id, group_id, lease_until, ...rest } = task as typeof task & { lease_until: string };
  assert.deepEqual(rest, {
    id: made.taskId,
    request_id: requestId,
    type_request: "post",
    status: "queued",
    target: 100,
    accounts_remaining: 0,
    domain: "studio.example.com",
    website: "https://target.example.com",
    email: "pod.real@example.com",
    username: "realpoduser",
    password: "demo-password",
    pass_mail: "demo mail",
    twofa: " jbsw y3dp ehpk 3pxp ",
    app_password: "demo app pass",
    cookie: "session=demo; csrf=demo",
    api_token: "demo-api-token",
    kind: "primary",
    link_id: made.taskId,
    link_rss: "",
    link_post: "",
    note: "",
    error_message: "",
    retry_count: 0,
    max_retries: 3,
  });
  assert.equal(account_id, made.accountId);
  assert.match(group_id, /^[0-9a-f-]{36}$/);
  assert.match(lease_until, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(episodes[0], { id: episodeId, title, about, image_url: "https://files.example.com/1.png" });
  assert.match(episodes[1]?.id ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    { ...episodes[1], id: "" },
    { id: "", title: "Two", about: "", image_url: "", audio_url: "https://files.example.com/2.mp3", language: "vi" },
  );
});

withManager("[W5] one task is read as the list shows it, by any worker", async ({ farm, task, clock }) => {
  const id = await task();
  const [pulled] = await farm("farm-1").pull();
  const answer = await farm("farm-2").read(id);
  assert.deepEqual([answer.status, answer.body.success], [200, true]);
  assert.deepEqual(answer.body.data, pulled);
  clock.forwardMinutes(15);
  assert.equal(dataOf(await farm("farm-2").read(id))["lease_until"], null);
});

withManager("[blank] absent credentials are empty texts", async ({ manager, farm }) => {
  await manager.makeTask({ account: { username: "only-a-name" }, website: "studio.example.com", episodes: [{ title: "One" }] });
  const [task] = await farm("farm-1").pull();
  for (const field of ["email", "password", "pass_mail", "twofa", "app_password", "cookie", "api_token", "website"] as const)
    assert.equal(task?.[field], "", field);
});

withManager("[domain] carries the port where it is not the default", async ({ manager, farm }) => {
  const sites = {
    "http://127.0.0.1:8710": "127.0.0.1:8710",
    "https://A.example.com": "a.example.com",
    "https://a.example.com:8443/x": "a.example.com:8443",
    "http://b.example.com:80": "b.example.com",
    "c.example.com:443": "c.example.com",
    "localhost:3000": "localhost:3000",
    "https://tập.example.com": "xn--tp-1oy.example.com",
  };
  for (const website of Object.keys(sites))
    await manager.makeTask({ account: { email: "a@example.com" }, website, episodes: [{ title: website }] });
  const tasks = await farm("farm-1").pull("?limit=100");
  const expected = Object.entries(sites).map(([website, site]) => [website, site.startsWith("xn--") ? new URL(website).host : site]);
  assert.deepEqual(tasks.map((task) => [task.data_content[0]?.title, task.domain]).sort(), expected.sort());
});

withManager(
  "[accounts_remaining] counts the accounts of the request's group that have no task of it yet",
  async ({ manager, store, farm, clock }) => {
    const groupId = randomUUID();
    const now = new Date(clock.now());
    await store.raw(
      "insert into manager.groups (id, name, service_type, status, created_at, updated_at) values ($1, 'shows', 'podcast', 'active', $2, $2)",
      [groupId, now],
    );
    const requestId = randomUUID();
    const make = async (email: string, request: string): Promise<unknown> =>
      manager.makeTask({
        account: { email },
        website: `${email.split("@")[0]}.example.com`,
        episodes: [{ title: "One" }],
        groupId,
        requestId: request,
      });
    for (const name of ["second", "third", "fourth"]) await make(`${name}@example.com`, randomUUID());
    await make("first@example.com", requestId);
    const tasks = await farm("farm-1").pull("?limit=100");
    assert.equal(tasks.find((task) => task.request_id === requestId)?.accounts_remaining, 3);
    await make("second@example.com", requestId);
    assert.equal((await farm("farm-1").pull("?limit=100")).find((task) => task.request_id === requestId)?.accounts_remaining, 2);
  },
);
