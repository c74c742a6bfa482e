import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { UsageMode } from "../../../src/contract/content-api.ts";
import { workerEpisode } from "../../../src/contract/worker-api.ts";
import { createEpisodeOfContent } from "../../../src/manager/content/episode-of-content.ts";
import { pick } from "../../../src/manager/content/pick.ts";
import { ApiError } from "../../../src/manager/errors.ts";
import type { ManagerTables } from "../../../src/manager/tables.ts";
import { samples } from "./media-samples.ts";
import { variants, withContent } from "./support.ts";

const TAKES = 10_000;

/** mulberry32: the same numbers on each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Which ones are taken, one after another, with the marks kept as the tables keep them. */
function taken(mode: UsageMode, weights: readonly number[], seed: number): number[] {
  const [random, used] = [seeded(seed), weights.map(() => false)];
  return Array.from({ length: TAKES }, () => {
    const picked = pick(
      weights.map((weight, index) => ({ weight, isUsed: used[index] ?? false })),
      mode,
      random,
    );
    assert.ok(picked);
    if (picked.startsRound) used.fill(false);
    used[picked.index] = true;
    return picked.index;
  });
}

/** The 99.9th percentile of the chi-square distribution, by degrees of freedom. */
const RARE: Readonly<Record<number, number>> = { 1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52, 6: 22.46 };

/** What is drawn is drawn as often as its weight says, as far as chance lets one tell; what has none is never drawn. */
function assertDrawnBy(weights: readonly number[], drawn: readonly number[]): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const possible = weights.flatMap((weight, index) => (weight > 0 ? [index] : []));
  assert.deepEqual(
    drawn.filter((index) => !possible.includes(index)),
    [],
  );
  const chiSquare = possible.reduce((sum, index) => {
    const expected = (drawn.length * (weights[index] ?? 0)) / total;
    return sum + (drawn.filter((one) => one === index).length - expected) ** 2 / expected;
  }, 0);
  assert.ok(chiSquare < (RARE[possible.length - 1] ?? 0), `chi-square ${chiSquare}`);
}

function rounds<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.floor(all.length / size) }, (_, round) => all.slice(round * size, (round + 1) * size));
}

test("[random] of 10,000 takes each round has every variant once, in any order", () => {
  for (const seed of [1, 2, 3]) {
    const all = rounds(taken("random", [1, 1, 1, 1, 1, 1, 1], seed), 7);
    for (const round of all) assert.deepEqual(round.toSorted(), [0, 1, 2, 3, 4, 5, 6]);
    for (const place of [0, 3, 6])
      assertDrawnBy(
        [1, 1, 1, 1, 1, 1, 1],
        all.map((round) => round[place] ?? -1),
      );
    assert.ok(new Set(all.map((round) => round.join())).size > 1000);
  }
});

test("[sequential] 10,000 takes go by order and wrap around", () => {
  const all = taken("sequential", [0, 5, 1], 1);
  assert.deepEqual(
    all,
    all.map((_, index) => index % 3),
  );
});

test("[weighted] 10,000 takes are drawn by their weights, never one of zero", () => {
  for (const weights of [
    [0, 1, 2, 3, 4, 0],
    [0.001, 0.002],
    [1_000_000, 1],
    [3, 3, 3],
  ])
    for (const seed of [1, 2]) assertDrawnBy(weights, taken("weighted", weights, seed));
});

test("[weighted] where all weights are zero each is as likely as the others", () => {
  for (const seed of [1, 2, 3]) assertDrawnBy([1, 1, 1, 1, 1], taken("weighted", [0, 0, 0, 0, 0], seed));
});

test("[weighted] the ends of chance are within bounds", () => {
  const most = 1 - 2 ** -53;
  for (const mode of ["random", "weighted"] as const)
    for (const weights of [[1], [0, 0], [0, 0.1, 0.2, 0.7, 0], [1, 0]])
      for (const chance of [0, most]) {
        const { index } = pick(
          weights.map((weight) => ({ weight, isUsed: true })),
          mode,
          () => chance,
        ) ?? { index: -1 };
        assert.ok(index >= 0 && index < weights.length);
        if (mode === "weighted" && weights.some((weight) => weight > 0)) assert.ok((weights[index] ?? 0) > 0);
      }
  assert.equal(
    pick([], "random", () => 0),
    null,
  );
});

withContent(
  "[take] [sequential] variants are taken by order, marked used, and again from the first",
  async ({ make, read, take, clock }) => {
    const { id, updatedAt } = await make({
      variant_usage_mode: "sequential",
      variants: [{ content: "c", order: 9 }, { content: "a" }, { content: "b", order: 1 }],
    });
    clock.forwardMinutes(1);
    const used = async () => (await read(id)).content_data.variants.map(({ isUsed }) => isUsed);
    const texts: string[] = [];
    for (const key of ["1", "2", "3", "4", "5"]) {
      const { variant, media } = await take(id, key);
      assert.deepEqual([variant.isUsed, variant.lastUsedAt, media], [true, new Date(clock.now()).toISOString(), null]);
      texts.push(variant.content);
      if (key === "3") assert.deepEqual([await used(), (await read(id))._count.unused_variants], [[true, true, true], 0]);
      if (key === "4") assert.deepEqual([await used(), (await read(id))._count.unused_variants], [[true, false, false], 2]);
    }
    assert.deepEqual(texts, ["a", "b", "c", "a", "b"]);
    assert.equal((await read(id)).updatedAt, updatedAt);
  },
);

withContent("[take] [random] [weighted] a content's mode decides what is taken", async ({ make, take, read }) => {
  const random = await make({ variants: variants("a", "b", "c", "d") });
  const texts: string[] = [];
  for (let turn = 0; turn < 12; turn += 1) texts.push((await take(random.id, `key ${turn}`)).variant.content);
  for (const round of rounds(texts, 4)) assert.deepEqual(round.toSorted(), ["a", "b", "c", "d"]);

  const weighted = await make({
    variant_usage_mode: "weighted",
    variants: [
      { content: "never", weight: 0 },
      { content: "always", weight: 2 },
    ],
  });
  for (let turn = 0; turn < 10; turn += 1) assert.equal((await take(weighted.id, `key ${turn}`)).variant.content, "always");
  assert.equal((await read(weighted.id))._count.unused_variants, 1);
});

withContent("[take] what can't be taken is told", async ({ api, make }) => {
  const { id } = await make();
  const take = async (one: string, json: unknown) => (await api("POST", `/content/${one}/take`, { json })).status;
  assert.deepEqual(
    [await take(randomUUID(), { key: "k" }), await take("x", { key: "k" }), await take(id, {}), await take(id, { key: 1 })],
    [404, 404, 400, 400],
  );
  assert.deepEqual(
    [await take(id, { key: "" }), await take(id, { key: "x".repeat(201) }), await take(id, { key: "a\0" })],
    [422, 422, 400],
  );
});

withContent(
  "[key] a key gets its pick again, also when the variant was changed or is gone",
  async ({ api, make, take, read, upload, rows }) => {
    const medium = await upload(samples.png, "a.png");
    const { id } = await make({
      variants: [
        { content: "Old", mediaIds: [medium.id] },
        { content: "Old too", mediaIds: [medium.id] },
      ],
    });
    const first = await take(id, "episode 1");
    assert.equal(first.media?.id, medium.id);
    assert.deepEqual(first.variant.media, [first.media]);
    const before = await rows();
    assert.deepEqual(await take(id, "episode 1"), first);
    assert.deepEqual(await rows(), before);
    await api("PUT", `/content/${id}`, { json: { title: "New", variants: variants("New") } });
    assert.equal((await api("DELETE", `/media/${medium.id}`)).status, 200);
    assert.deepEqual(await take(id, "episode 1"), first);
    assert.equal((await read(id))._count.unused_variants, 1);
    assert.equal((await take(id, "episode 2")).variant.content, "New");
    const other = await make({ variants: variants("Other") });
    assert.equal((await take(other.id, "episode 1")).variant.content, "Other");
  },
);

withContent("[picked media] a variant's media are taken by its own mode", async ({ make, take, upload }) => {
  const media = [await upload(samples.png, "a.png"), await upload(samples.gif, "b.gif"), await upload(samples.mp3, "c.mp3")];
  const mediaIds = media.map(({ id }) => id);
  const takes = async (media_usage_mode: UsageMode, times: number): Promise<number[]> => {
    const { id } = await make({ variants: [{ content: "One", mediaIds, media_usage_mode }] });
    const places: number[] = [];
    for (let turn = 0; turn < times; turn += 1) {
      const { media, variant } = await take(id, `key ${turn}`);
      assert.deepEqual(variant.mediaIds, mediaIds);
      assert.deepEqual(
        variant.media.find((one) => one.id === media?.id),
        media,
      );
      places.push(mediaIds.indexOf(media?.id ?? ""));
    }
    return places;
  };
  assert.deepEqual(await takes("sequential", 7), [0, 1, 2, 0, 1, 2, 0]);
  for (const round of rounds(await takes("random", 9), 3)) assert.deepEqual(round.toSorted(), [0, 1, 2]);
  assert.deepEqual(new Set(await takes("weighted", 40)), new Set([0, 1, 2]));
});

withContent("[race] takes at one moment get one variant each, and one key the same", async ({ make, take, read }) => {
  const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
  const { id } = await make({ variants: variants(...texts) });
  const all = await Promise.all(texts.map(async (_, index) => take(id, `key ${index}`)));
  assert.equal(new Set(all.map(({ variant }) => variant.id)).size, 20);
  assert.equal((await read(id))._count.unused_variants, 0);
  const one = await Promise.all(texts.map(async () => take(id, "one key")));
  assert.equal(new Set(one.map((answer) => JSON.stringify(answer))).size, 1);
  assert.equal((await read(id))._count.unused_variants, 19);
});

withContent("[race] [variants] takes while variants are replaced never break", async ({ api, make }) => {
  const { id } = await make({ variants: variants("a", "b", "c") });
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, index) =>
      index % 3 === 0
        ? api("PUT", `/content/${id}`, { json: { variants: variants("a", `new ${index}`) } })
        : api("POST", `/content/${id}/take`, { json: { key: `key ${index % 7}` } }),
    ),
  );
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
});

withContent("[episode] a content gives an episode of a request", async ({ api, make, upload, take, store, owner, addUser, clock }) => {
  const [mp4, png, mp3] = [await upload(samples.mp4, "a.mp4"), await upload(samples.png, "a b.png"), await upload(samples.mp3, "c.mp3")];
  const { id } = await make({
    title: "Title",
    variant_usage_mode: "sequential",
    variants: [{ content: "<p>One</p>", mediaIds: [mp4.id, png.id, mp3.id] }, { content: "Two" }],
  });
  const db = store.part<ManagerTables>("manager");
  const origin = new URL(png.url).origin;
  const episodeOfContent = createEpisodeOfContent({
    now: () => clock.now(),
    mediaUrl: (mediumId, filename) => `${origin}/api/v1/media/${mediumId}/${encodeURIComponent(filename)}`,
  });
  const episode = async (tenant: string | null, contentId: string, key: string) =>
    db.transaction().execute(async (trx) => episodeOfContent(trx, tenant, contentId, key));
  const first = await episode(owner.id, id, "episode-1");
  assert.deepEqual(first, { id: "episode-1", title: "Title", about: "<p>One</p>", image_url: png.url, audio_url: mp3.url });
  assert.deepEqual(workerEpisode.parse(first), first);
  assert.deepEqual(await episode(owner.id, id, "episode-2"), { id: "episode-2", title: "Title", about: "Two", image_url: "" });
  await api("PUT", `/content/${id}`, { json: { title: "Other", variants: variants("Other") } });
  assert.deepEqual(await episode(owner.id, id, "episode-1"), first);
  assert.equal((await take(id, "episode-1")).variant.content, "<p>One</p>");
  const stranger = await addUser("owner");
  for (const [tenant, contentId] of [
    [stranger.id, id],
    [null, id],
    [owner.id, randomUUID()],
  ] as const)
    await assert.rejects(
      episode(tenant, contentId, "k"),
      (error: unknown) => error instanceof ApiError && error.code === "unprocessable" && error.message.includes(contentId),
    );
});

withContent(
  "[episode] [race] two that take of the same contents, each in its own order, do not wait for each other for ever",
  async (scene) => {
    const { make, store, owner, clock } = scene;
    const contents = [(await make()).id, (await make()).id];
    const db = store.part<ManagerTables>("manager");
    const episodeOfContent = createEpisodeOfContent({ now: () => clock.now(), mediaUrl: () => "" });
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) =>
        db.transaction().execute(async (trx) => {
          const order = index % 2 === 0 ? contents : contents.toReversed();
          for (const id of order) await episodeOfContent(trx, owner.id, id, `${index}`);
        }),
      ),
    );
    assert.equal((await store.raw("select * from manager.content_picks")).rows.length, 16);
  },
);

withContent("an inactive content gives nothing to a new key, and to an old one what it got", async ({ api, make, take }) => {
  const { id } = await make();
  const before = await take(id, "known");
  assert.equal((await api("PUT", `/content/${id}`, { json: { status: "inactive" } })).status, 200);
  const refused = await api("POST", `/content/${id}/take`, { json: { key: "new" } });
  assert.deepEqual([refused.status, refused.body.code], [409, "conflict"]);
  assert.deepEqual(await take(id, "known"), before);
});
