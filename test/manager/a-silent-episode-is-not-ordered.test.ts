import assert from "node:assert/strict";
import { withOwner } from "./backlink-support.ts";
import { balance, fund, order, read } from "./given-requests.ts";

const heard = [
  { title: "Read out", about: "<p>A text</p>" },
  { title: "Played", audio_url: "https://files.example.com/1.mp3" },
];
const silent = [
  { title: "Silent" },
  { title: "Silent", about: " ", audio_url: "" },
  { title: "Silent", image_url: "https://files.example.com/1.jpg" },
];

withOwner("[B15] an episode that nobody could hear is refused by its index, when it is ordered and when it is changed", async (scene) => {
  await fund(scene, 1000);
  const made = await order(scene, { data: { episodes: heard } });
  for (const episode of silent) {
    const data = { episodes: [...heard, episode] };
    const answers = [
      await scene.api("POST", "/podcast", { json: { name: "Campaign", auction_price: 50, target: 2, data } }),
      await scene.api("PUT", `/podcast/${made.id}`, { json: { data } }),
    ];
    for (const { status, body } of answers) {
      assert.deepEqual([status, body.code], [422, "unprocessable"]);
      assert.match(body.message, /data\.episodes\.2: .*\(about\).*\(audio_url\)/);
    }
  }
  assert.deepEqual(await read(scene, made), made);
  assert.equal(await balance(scene), 900, "nothing is reserved for it");
});

withOwner("[B15] of another service an episode may be a title alone", async (scene) => {
  await fund(scene, 1000);
  const made = await order(scene, { data: { episodes: silent } }, "entity");
  assert.deepEqual(made.data, { episodes: silent });
});
