import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { MOST_TASKS } from "../../../src/contract/task-api.ts";
import { givenPglite } from "../../support/store.ts";
import { tempDir } from "../../support/temp.ts";
import { givenTasks, maya, nam } from "./given-tasks.ts";

const good = { usernames: ["maya@example.com"], script_name: "post", script_config: { captions: "Good morning" } };

test("[T1] [codes] what is wrong is said with its code, and nothing is made", async (t) => {
  const { store } = await givenPglite(t);
  const { ask } = await givenTasks(t, store, { start: false, accounts: [maya, { ...maya, website: "other.example.com" }] });
  const refused = async (over: object, code: number, message: RegExp): Promise<void> => {
    const answer = await ask("POST", "/task", { ...good, ...over });
    assert.deepEqual([answer.status, answer.code, answer.data], [Math.floor(code / 100), code, null], JSON.stringify(answer));
    assert.match(answer.message, message);
  };
  await refused({ usernames: undefined }, 40_001, /serials or usernames/);
  await refused({ usernames: [] }, 40_001, /serials or usernames/);
  await refused({ script_name: undefined }, 40_002, /script_name/);
  await refused({ script_name: " " }, 40_002, /script_name/);
  await refused({ script_name: undefined, script_config: undefined }, 40_002, /script_name/);
  await refused({ script_name: 7 }, 40_001, /script_name/);
  await refused({ script_name: "dance" }, 40_003, /dance.*post/);
  await refused({ script_config: undefined }, 40_001, /script_config/);
  await refused({ script_config: [] }, 40_001, /script_config/);
  await refused({ enable_multi_account: "yes" }, 40_001, /enable_multi_account/);
  await refused({ source: "cron" }, 40_001, /source/);
  for (const time of ["7:30", "24:00", "12:60", "now", "", "12:30:00"]) await refused({ start_time: time }, 40_001, /start_time/);
  await refused({ usernames: ["maya@example.com", "nobody", "no-one"] }, 40_401, /nobody, no-one/);
  await refused({ usernames: undefined, serials: ["slot-9"] }, 40_401, /slot-9/);
  await refused({ usernames: undefined, serials: ["slot-3"] }, 40_001, /slot-3 has no account/);
  await refused({ usernames: Array.from({ length: MOST_TASKS + 1 }, () => "maya@example.com") }, 40_001, /1000/);
  await refused({ script_config: {} }, 40_001, /captions or title/);
  // The first choice is drawn here.
  await refused({ script_config: { captions: "{|Hello}" } }, 40_001, /script_config.*title/);
  await refused({ script_config: { title: "{ |Hello}", captions: "\n" } }, 40_001, /script_config.*title/);
  await refused({ script_config: { captions: "x".repeat(10_001) } }, 40_001, /script_config.*title/);
  await refused(
    { script_config: { captions: 1, content_type: 2, upload_wait_time: -1 } },
    40_001,
    /content_type.*captions.*upload_wait_time/s,
  );
  await refused({ script_config: { captions: "x\0y" } }, 40_001, /NUL/);
  const malformed = await ask("POST", "/task", undefined, {
    payload: "{",
    headers: { host: "127.0.0.1:50809", "content-type": "application/json" },
  });
  assert.equal(malformed.code, 40_001);
  assert.deepEqual((await ask("GET", "/task/stats")).data, { total: 0, pending: 0, running: 0, completed: 0, failed: 0 });
});

test("[T1] one task an entry; usernames win over serials; a slot's tasks are for its first account, or for each", async (t) => {
  const { store } = await givenPglite(t);
  const lan = { ...maya, email: "lan@example.com" };
  const { ask, create, task } = await givenTasks(t, store, { start: false, accounts: [maya, lan, nam] });
  const made = async (over: object): Promise<string[]> =>
    Promise.all(
      (await create({ usernames: undefined, ...over })).map(async (id) =>
        (({ username, serial }) => `${username} ${serial}`)(await task(id)),
      ),
    );
  assert.deepEqual(await made({ usernames: ["nam", "NAM", "maya@example.com"], serials: ["slot-1"] }), [
    "nam slot-2",
    "NAM slot-2",
    "maya@example.com slot-1",
  ]);
  assert.deepEqual(await made({ serials: ["slot-1", "slot-2"] }), ["maya@example.com slot-1", "nam slot-2"]);
  assert.deepEqual(await made({ serials: ["slot-1"], enable_multi_account: true }), ["maya@example.com slot-1", "lan@example.com slot-1"]);
  const { code, message, data } = await ask<{ task_ids: number[]; created_count: number }>("POST", "/task", good);
  assert.deepEqual([code, message, data.created_count, data.task_ids.every(Number.isInteger)], [0, "success", 1, true]);
});

test("[T1] [post] captions are spun once for each account; the first picture and the first recording are taken", async (t) => {
  const { store } = await givenPglite(t);
  const folder = await tempDir(t, "media");
  await mkdir(join(folder, "inside"));
  await writeFile(join(folder, "inside", "talk.mp3"), "sound");
  await writeFile(join(folder, "secret.mp3"), "sound");
  const draws = [0, 0.9];
  const { ask, create, local } = await givenTasks(t, store, {
    start: false,
    accounts: [maya, nam],
    scripts: { mediaDirs: [join(folder, "inside")], random: () => draws.shift() ?? 0 },
  });
  const material_list = [
    "https://example.com/a.PNG?x=1",
    "https://example.com/b.jpg",
    join(folder, "inside", "talk.mp3"),
    "https://example.com/b.mp3",
  ];
  const ids = await create({
    usernames: ["maya@example.com", "nam"],
    script_config: { content_type: 0, captions: "{Good|Fine} day\n1 < 2 {kept}", material_list, upload_wait_time: 60, extra: true },
  });
  const rows = await local.db.selectFrom("local_tasks").select("episodes").where("id", "in", ids).orderBy("id").execute();
  const [first, second] = rows.map(({ episodes: [episode] }) => episode);
  assert.deepEqual([first?.title, second?.title], ["Good day", "Fine day"]);
  assert.deepEqual(
    [first?.about, first?.image_url, first?.audio_url],
    ["<p>Good day<br>1 &lt; 2 {kept}</p>", material_list[0], material_list[2]],
  );
  assert.notEqual(first?.id, second?.id);
  for (const bad of [
    join(folder, "secret.mp3"),
    join(folder, "inside", "..", "secret.mp3"),
    join(folder, "inside", "none.mp3"),
    "C:/Videos/video1.mp4",
    "talk.mp3",
  ]) {
    const answer = await ask("POST", "/task", { ...good, script_config: { captions: "x", material_list: [bad] } });
    assert.deepEqual([answer.code, /material_list\.0: not a file below MEDIA_DIRS/.test(answer.message)], [40_001, true], answer.message);
    assert.ok(!answer.message.includes(folder));
  }
});

test("[T1] [accounts] a name that several accounts have is asked about, and host/name says which", async (t) => {
  const { store } = await givenPglite(t);
  const { ask, create, task } = await givenTasks(t, store, {
    start: false,
    accounts: [maya, { website: "studio.example.com", email: "m@example.com", username: "maya@example.com" }],
  });
  const shared = await ask("POST", "/task", good);
  assert.deepEqual(
    [shared.code, /studio\.example\.com\/maya@example\.com or studio\.example\.com\/m@example\.com/.test(shared.message)],
    [40_001, true],
  );
  const [id = 0] = await create({ usernames: ["studio.example.com/m@example.com"] });
  assert.equal((await task(id)).username, "studio.example.com/m@example.com");
});
