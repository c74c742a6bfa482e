import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { samples } from "./media-samples.ts";
import { variants, withContent, type Content } from "./support.ts";

const ids = ({ data }: { data: Content[] }): string[] => data.map(({ id }) => id);

withContent("[C1] [C2] [C3] [C4] a content is answered as the text shows it", async ({ api, make, read, take, upload, keeper, clock }) => {
  const medium = await upload(samples.jpeg, "image.jpg");
  const { id } = await make({
    title: "Content Title",
    type: "social",
    action_type: "post_timeline",
    variants: [{ content: "Nội dung bài đăng #hashtag", mediaIds: [medium.id] }, { content: "Two" }],
    tags: ["marketing"],
  });
  const at = new Date(clock.now()).toISOString();
  clock.forwardMinutes(1);
  for (const key of ["1", "2"]) await take(id, key);
  const usedAt = new Date(clock.now()).toISOString();
  const answer = await api("GET", `/content/get-by-id/${id}`);
  const { content_data, tags } = await read(id);
  const [first, second] = content_data.variants;
  assert.deepEqual(answer.body, {
    success: true,
    content: {
      id,
      status: "active",
      title: "Content Title",
      type: "social",
      action_type: "post_timeline",
      content_data: {
        type: "social",
        variant_usage_mode: "random",
        variants: [
          {
            id: first?.id,
            content: "Nội dung bài đăng #hashtag",
            mediaIds: [medium.id],
            media_count: 1,
            media_usage_mode: "random",
            weight: 1,
            order: 0,
            isUsed: true,
            lastUsedAt: usedAt,
            media: [
              {
                id: medium.id,
                url: `${keeper.url}/api/v1/media/${medium.id}/image.jpg`,
                filename: "image.jpg",
                mime_type: "image/jpeg",
                size_bytes: String(samples.jpeg.length),
                duration_sec: null,
              },
            ],
          },
          {
            id: second?.id,
            content: "Two",
            mediaIds: [],
            media_count: 0,
            media_usage_mode: "random",
            weight: 1,
            order: 1,
            isUsed: true,
            lastUsedAt: usedAt,
            media: [],
          },
        ],
      },
      tags: [{ id: tags[0]?.id, name: "marketing" }],
      fbAccount: null,
      createdAt: at,
      updatedAt: at,
      _count: { tags: 1, variants: 2, total_media: 1, folders: 0, unused_variants: 0 },
    },
  });
});

withContent("[C1] what there is not is 404", async ({ api, make, addUser }) => {
  const stranger = await addUser("owner");
  const { id } = await make({}, stranger.as);
  for (const one of [randomUUID(), id, "no-uuid", "%00"]) {
    const { status, body } = await api("GET", `/content/get-by-id/${one}`);
    assert.deepEqual([status, body.success, body.code], [404, false, "not_found"], one);
  }
});

withContent("[GET] reading changes nothing", async ({ api, make, take, upload, rows, addKey, owner }) => {
  const key = await addKey(["content:read"], owner.id);
  const medium = await upload(samples.png, "a.png");
  const { id } = await make({ variants: [{ content: "One", mediaIds: [medium.id] }], tags: ["a"] });
  await take(id, "1");
  const before = await rows();
  for (const path of [`/content/get-by-id/${id}`, "/content", "/tags", "/media", `/media/${medium.id}/a.png`])
    for (const as of [undefined, key]) assert.equal((await api("GET", path, as && { as })).status, 200, path);
  assert.deepEqual(await rows(), before);
});

withContent("[create] what is absent has a default", async ({ make }) => {
  const content = await make({
    title: "  Trimmed  ",
    variants: [{ content: "b", order: 5 }, { content: "a" }, { content: "c", weight: 0.5 }],
  });
  assert.deepEqual([content.title, content.type, content.action_type, content.status], ["Trimmed", "social", "", "active"]);
  assert.equal(content.content_data.variant_usage_mode, "random");
  assert.deepEqual(
    content.content_data.variants.map(({ content, order, weight, isUsed, lastUsedAt }) => [content, order, weight, isUsed, lastUsedAt]),
    [
      ["a", 1, 1, false, null],
      ["c", 2, 0.5, false, null],
      ["b", 5, 1, false, null],
    ],
  );
  assert.deepEqual(content._count, { tags: 0, variants: 3, total_media: 0, folders: 0, unused_variants: 3 });
});

withContent("[create] media have to be there and the owner's", async ({ api, make, addUser, upload }) => {
  const stranger = await addUser("owner");
  const [own, foreign] = [await upload(samples.png, "own.png"), await upload(samples.png, "foreign.png", stranger.as)];
  for (const mediaIds of [[foreign.id], [own.id, randomUUID()]]) {
    const { status, body } = await api("POST", "/content", { json: { title: "T", variants: [{ content: "One", mediaIds }] } });
    assert.deepEqual([status, body.code], [422, "unprocessable"]);
    assert.ok(body.message.includes(mediaIds.at(-1)), body.message);
  }
  assert.equal((await api("GET", "/content")).body.total, 0);
  const content = await make({ variants: [{ content: "One", mediaIds: [own.id, own.id.toUpperCase()] }] });
  assert.deepEqual(content.content_data.variants[0]?.mediaIds, [own.id]);
});

withContent("[bodies] what can't be read and what breaks a rule are told apart; texts are kept as they are", async ({ api, make }) => {
  const one = variants("One");
  const refused: [unknown, number, string][] = [
    [{ variants: one }, 400, "validation"],
    [{ title: "T" }, 400, "validation"],
    [{ title: 1, variants: one }, 400, "validation"],
    [{ title: "T", variants: [{}] }, 400, "validation"],
    [{ title: "T", variants: [{ content: "One", weight: "1" }] }, 400, "validation"],
    [{ title: "T\0", variants: one }, 400, "nul_character"],
    [{ title: "  ", variants: one }, 422, "unprocessable"],
    [{ title: "T", variants: [] }, 422, "unprocessable"],
    [{ title: "T", variants: [{ content: "" }] }, 422, "unprocessable"],
    [{ title: "T", variants: [{ content: "One", weight: -1 }] }, 422, "unprocessable"],
    [{ title: "T", variants: one, type: "podcast" }, 422, "unprocessable"],
    [{ title: "T", variants: one, variant_usage_mode: "any" }, 422, "unprocessable"],
    [{ title: "T", variants: one, action_type: "\ud800" }, 422, "unprocessable"],
    [{ title: "T", variants: [{ content: "One", mediaIds: ["x"] }] }, 422, "unprocessable"],
  ];
  for (const [json, status, code] of refused) {
    const answer = await api("POST", "/content", { json });
    assert.deepEqual([answer.status, answer.body.success, answer.body.code], [status, false, code], JSON.stringify(json));
  }
  assert.equal((await api("POST", "/content", { body: "{broken" })).body.code, "malformed_json");
  const over = { title: "T", variants: Array.from({ length: 20 }, () => ({ content: "x".repeat(60_000) })) };
  assert.equal((await api("POST", "/content", { json: over })).status, 413);
  for (const query of ["page=x", "limit=x", "type=podcast", "search=%00", "tag=%00"])
    assert.equal((await api("GET", `/content?${query}`)).status, 400, query);

  const text = ` <b>'"\\u0000 %s $1 \\\u2028 \u{1f399}\ufe0f\n\t `;
  const { content_data, action_type } = await make({ action_type: text.slice(0, 20), variants: variants(text) });
  assert.deepEqual([content_data.variants[0]?.content, action_type], [text, text.slice(0, 20)]);
});

withContent("[change] what is not given stays", async ({ api, make, read, clock }) => {
  const before = await make({ title: "Before", action_type: "post", tags: ["a", "b"] });
  clock.forwardMinutes(1);
  const at = new Date(clock.now()).toISOString();
  const { status, body } = await api("PUT", `/content/${before.id}`, { json: { title: " After ", status: "inactive" } });
  assert.equal(status, 200);
  assert.deepEqual(body, { success: true, content: { ...before, title: "After", status: "inactive", updatedAt: at } });
  clock.forwardMinutes(1);
  assert.deepEqual((await api("PUT", `/content/${before.id}`, { json: {} })).body, body);
  const changed = await api("PUT", `/content/${before.id}`, { json: { type: "wordpress", variant_usage_mode: "weighted", tags: ["c"] } });
  assert.deepEqual([changed.body.content.type, changed.body.content.content_data.type], ["wordpress", "wordpress"]);
  assert.deepEqual(await read(before.id), changed.body.content);
  for (const id of [randomUUID(), "x"]) assert.equal((await api("PUT", `/content/${id}`, { json: { title: "T" } })).status, 404);
});

withContent("[variants] a variant whose text is unchanged stays the same one, used or not", async ({ api, make, take, upload }) => {
  const [a, b] = [await upload(samples.png, "a.png"), await upload(samples.png, "b.png")];
  const before = await make({
    variant_usage_mode: "sequential",
    variants: [{ content: "One", mediaIds: [a.id, b.id], media_usage_mode: "sequential" }, ...variants("Two", "Two", "Three")],
  });
  const [one, two, twoAgain] = before.content_data.variants;
  await take(before.id, "1");
  const json = { variants: [{ content: "Two", weight: 7 }, ...variants("New"), { content: "One", mediaIds: [b.id, a.id] }] };
  const { body } = await api("PUT", `/content/${before.id}`, { json });
  const [first, fresh, last] = (body.content as Content).content_data.variants;
  assert.deepEqual([first?.id, first?.weight, first?.isUsed], [two?.id, 7, false]);
  assert.ok(fresh && before.content_data.variants.every(({ id }) => id !== fresh.id));
  assert.deepEqual([last?.id, last?.isUsed, last?.media_usage_mode, last?.mediaIds], [one?.id, true, "random", [b.id, a.id]]);
  assert.deepEqual(body.content._count, { tags: 0, variants: 3, total_media: 2, folders: 0, unused_variants: 2 });
  assert.ok(twoAgain && ![first?.id, last?.id].includes(twoAgain.id));
  // The medium's mark is still there as well: of two the other one is next.
  const again = { content: "One", mediaIds: [a.id, b.id], media_usage_mode: "sequential" };
  await api("PUT", `/content/${before.id}`, { json: { variants: [again] } });
  assert.equal((await take(before.id, "2")).media?.id, b.id);
});

withContent("[delete] a content goes with all that is its own, and the log says who did it", async ({ api, make, take, store, owner }) => {
  const [gone, kept] = [await make({ tags: ["gone", "both"] }), await make({ tags: ["both"] })];
  await take(gone.id, "1");
  const answer = await api("DELETE", `/content/${gone.id}`);
  assert.deepEqual([answer.status, answer.body], [200, { success: true }]);
  assert.equal((await api("DELETE", `/content/${gone.id}`)).status, 404);
  assert.equal((await api("GET", `/content/get-by-id/${gone.id}`)).status, 404);
  assert.deepEqual(ids((await api("GET", "/content")).body), [kept.id]);
  assert.deepEqual(
    (await api("GET", "/tags")).body.data.map(({ name }: { name: string }) => name),
    ["both"],
  );
  assert.deepEqual((await store.raw("select * from manager.content_picks")).rows, []);
  const { rows } = await store.raw("select user_id, email, action, what from manager.audit where action = 'delete'");
  assert.deepEqual(rows, [{ user_id: owner.id, email: owner.email, action: "delete", what: `content ${gone.id}` }]);
});

withContent("[list] by page, search, type and tag, the newest first", async ({ api, make, clock }) => {
  const made: Content[] = [];
  for (const body of [
    { title: "100% Alpha" },
    { title: "beta_1", type: "wordpress", tags: ["Đỏ"] },
    { title: "Gamma", tags: ["đỏ", "x"] },
  ]) {
    made.unshift(await make(body));
    clock.forwardMinutes(1);
  }
  const [gamma, beta, alpha] = made;
  const list = async (query: string) => (await api("GET", `/content?${query}`)).body;
  assert.deepEqual(await list(""), { success: true, data: made, total: 3, page: 1, limit: 20 });
  assert.deepEqual(await list("limit=2&page=2"), { success: true, data: [alpha], total: 3, page: 2, limit: 2 });
  const beyond = await list("page=9&limit=0");
  assert.deepEqual([beyond.data, beyond.total, beyond.page, beyond.limit], [[], 3, 9, 1]);
  assert.deepEqual(ids(await list("search=ALPHA")), [alpha?.id]);
  assert.deepEqual(ids(await list("search=%25")), [alpha?.id]);
  assert.deepEqual(ids(await list("search=_")), [beta?.id]);
  assert.deepEqual(ids(await list("type=wordpress")), [beta?.id]);
  assert.deepEqual(ids(await list(`tag=${encodeURIComponent("ĐỎ")}`)), [gamma?.id, beta?.id]);
  assert.deepEqual(ids(await list(`type=social&search=m&tag=x`)), [gamma?.id]);
  assert.equal((await list("tag=nothing")).total, 0);
});

withContent("[tags] one for all spellings; those that no content has are no more", async ({ api, make, addUser }) => {
  const list = async (query = "", as?: Readonly<Record<string, string>>) => (await api("GET", `/tags${query}`, as && { as })).body;
  const first = await make({ tags: ["Âm nhạc", "news", "NEWS", " news "] });
  assert.deepEqual(
    first.tags.map(({ name }) => name),
    ["news", "Âm nhạc"],
  );
  const second = await make({ tags: ["âM NHẠC".normalize("NFD"), "other"] });
  const music = first.tags[1];
  assert.deepEqual(second.tags.at(-1), music);
  assert.deepEqual(
    (await list()).data.map(({ name, contents }: { name: string; contents: number }) => [name, contents]),
    [
      ["news", 1],
      ["other", 1],
      ["Âm nhạc", 2],
    ],
  );
  assert.deepEqual((await list("?search=EW&limit=1")).data, [{ ...first.tags[0], contents: 1 }]);
  const stranger = await addUser("owner");
  const theirs = await make({ tags: ["NEWS"] }, stranger.as);
  assert.equal(theirs.tags[0]?.name, "NEWS");
  assert.equal((await list("", stranger.as)).total, 1);

  await api("PUT", `/content/${first.id}`, { json: { tags: [] } });
  const left = await list();
  assert.deepEqual([left.total, left.data.map(({ name }: { name: string }) => name)], [2, ["other", "Âm nhạc"]]);
  assert.equal((await list("", stranger.as)).total, 1);
});

withContent("[tags] [race] contents that are tagged at one moment share their tags and lose none", async ({ api, make }) => {
  const made = await Promise.all(Array.from({ length: 12 }, async (_, index) => make({ tags: ["shared", `own ${index % 3}`] })));
  assert.equal(new Set(made.map(({ tags }) => tags.find(({ name }) => name === "shared")?.id)).size, 1);
  const change = async ({ id }: Content, index: number) =>
    index % 2 === 0 ? api("DELETE", `/content/${id}`) : api("PUT", `/content/${id}`, { json: { tags: ["later", "shared"] } });
  const answers = await Promise.all(made.map(change));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  const { data } = (await api("GET", "/tags")).body;
  assert.deepEqual(
    data.map(({ name, contents }: { name: string; contents: number }) => [name, contents]),
    [
      ["later", 6],
      ["shared", 6],
    ],
  );
});

withContent("[owner] everybody sees and changes their owner's", async ({ make, api, addUser, addKey, owner, nobody }) => {
  const [operator, viewer, stranger] = [await addUser("operator"), await addUser("viewer"), await addUser("owner")];
  const ownKey = await addKey(["content:read", "content:write"], owner.id);
  const [theirs, nobodys] = [await make({ tags: ["t"] }, operator.as), await make({ tags: ["n"] }, nobody)];
  const may = async (as: Readonly<Record<string, string>>, id: string) => {
    const reads = (await api("GET", `/content/get-by-id/${id}`, { as })).status;
    const lists = ids((await api("GET", "/content", { as })).body).includes(id);
    const changes = (await api("PUT", `/content/${id}`, { as, json: { title: "Changed" } })).status;
    const takes = (await api("POST", `/content/${id}/take`, { as, json: { key: "k" } })).status;
    return [reads, lists, changes, takes];
  };
  const [all, none] = [
    [200, true, 200, 200],
    [404, false, 404, 404],
  ];
  for (const as of [owner.as, operator.as, ownKey]) assert.deepEqual([await may(as, theirs.id), await may(as, nobodys.id)], [all, none]);
  assert.deepEqual(await may(stranger.as, theirs.id), none);
  assert.deepEqual(await may(viewer.as, theirs.id), [200, true, 403, 403]);
  assert.deepEqual(await may(nobody, nobodys.id), all);
  assert.deepEqual(await may(nobody, theirs.id), none);
  assert.equal((await api("DELETE", `/content/${theirs.id}`, { as: nobody })).status, 404);
  assert.equal((await api("DELETE", `/content/${nobodys.id}`)).status, 404);
  const tagsOf = async (as: Readonly<Record<string, string>>) =>
    (await api("GET", "/tags", { as })).body.data.map(({ name }: { name: string }) => name);
  assert.deepEqual([await tagsOf(owner.as), await tagsOf(nobody)], [["t"], ["n"]]);
  assert.equal((await api("DELETE", `/content/${nobodys.id}`, { as: nobody })).status, 200);
});

withContent(
  "[owner] [delete] an owner who is removed takes contents, tags and media along",
  async ({ make, upload, addUser, keeper, rows }) => {
    const gone = await addUser("owner");
    const medium = await upload(samples.png, "a.png", gone.as);
    await make({ variants: [{ content: "One", mediaIds: [medium.id] }], tags: ["a"] }, gone.as);
    assert.equal(await keeper.users.remove(gone.email), true);
    assert.deepEqual(await rows(), [[], [], [], [], [], [], []]);
    assert.equal((await fetch(medium.url)).status, 404);
  },
);

withContent("[auth] who is not known learns nothing; who may not is told so", async ({ api, make, addKey, addUser, keeper }) => {
  const { id } = await make();
  const calls: [string, string][] = [
    ["GET", `/content/get-by-id/${id}`],
    ["GET", "/content/get-by-id/x"],
    ["GET", "/content?page=x"],
    ["POST", "/content"],
    ["PUT", `/content/${id}`],
    ["DELETE", `/content/${id}`],
    ["POST", `/content/${id}/take`],
    ["GET", "/tags"],
    ["GET", "/media"],
    ["POST", "/media"],
    ["DELETE", `/media/${randomUUID()}`],
    ["GET", "/content/no/such/address"],
  ];
  const [worker, reader, viewer] = [await addKey(["worker"]), await addKey(["content:read"]), await addUser("viewer")];
  const bad = { "x-api-key": "pck_wrong" };
  for (const [method, path] of calls) {
    const codes = [];
    for (const as of [{}, bad, { authorization: "Bearer x" }, worker]) codes.push((await api(method, path, { as })).body.code);
    assert.deepEqual(codes, ["NO_API_KEY", "INVALID_API_KEY", "invalid_token", "forbidden"], `${method} ${path}`);
    if (method === "GET") continue;
    assert.equal((await api(method, path, { as: reader })).body.code, "forbidden", `${method} ${path}`);
    assert.equal((await api(method, path, { as: viewer.as })).body.code, "not_allowed", `${method} ${path}`);
  }
  for (const as of [reader, viewer.as]) assert.equal((await api("GET", "/content", { as })).status, 200);
  const unknown = await api("GET", "/content/no/such/address", { as: reader });
  assert.deepEqual([unknown.status, unknown.body.code], [404, "not_found"]);
  assert.equal((await fetch(`${keeper.url}/api/v1/unknown`)).status, 401);
  for (const as of [worker, reader, viewer.as]) assert.equal((await api("GET", "/unknown", { as })).status, 404);
});
