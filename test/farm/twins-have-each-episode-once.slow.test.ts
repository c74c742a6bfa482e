import assert from "node:assert/strict";
import { test } from "node:test";
import { openFirstory } from "../sites/firstory/site.ts";
import { openSoundOn } from "../sites/soundon/site.ts";
import { createMailSink } from "../sites/twin/mail.ts";
import type { Show } from "../sites/twin/shows.ts";
import { wholePodcrew } from "../support/whole.ts";

const [email, password] = ["maya@podcrew.example", "demo-password"];

/** One whose drafts keep their id when they are published, and one without drafts that publishes as often as it is told to. */
const twins = [
  { site: "firstory", open: async () => openFirstory({ mail: createMailSink() }), username: ({ title }: Show) => title },
  { site: "soundon", open: async () => openSoundOn(), username: ({ id }: Show) => id },
];

for (const { site, open, username } of twins) {
  test(`${site}: the answer to the publish request is lost; the list shows the episode, and nobody is asked`, async (t) => {
    const twin = await open();
    t.after(async () => twin.close());
    const show = twin.join({ email, password }, "午後電台");
    const whole = await wholePodcrew(t, {
      driver: { site, modules: [] },
      door: async () => twin.origin,
      settings: { settleSeconds: 3, stepSeconds: 15, locale: "zh-TW" },
    });
    twin.lostAnswers.next = 1;
    const account = { email, password, twofa: "", username: username(show) };
    const task = await whole.post([{ title: "Đêm Hội An", about: "<p>A short text that is read aloud.</p>" }], account);

    assert.equal(task.state, "completed", task.errorMessage);
    assert.equal(twin.lostAnswers.next, 0, "an answer was lost");
    assert.deepEqual(
      twin.shows.history().map(({ outcome, title }) => `${outcome} ${title}`),
      ["published Đêm Hội An"],
    );
    const [episode] = twin.shows.episodes(show.id, "published");
    assert.ok(task.linkPost.endsWith(episode?.id ?? "none"), task.linkPost);
    assert.deepEqual(twin.shows.episodes(show.id, "draft"), []);
    assert.deepEqual(whole.farm.status().needsPerson, []);
  });
}
