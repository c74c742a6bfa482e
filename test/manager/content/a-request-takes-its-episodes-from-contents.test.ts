import assert from "node:assert/strict";
import { withOwner } from "../backlink-support.ts";
import { requestJson } from "../../../src/kit/http.ts";

withOwner("[episode] a request that names contents posts their texts, each variant once before any comes again", async (scene) => {
  const { manager, owner } = scene;
  const headers = { authorization: `Bearer ${owner.token}` };
  const contents = `${manager.url}/api/v1/content`;
  const made = await requestJson(contents, {
    method: "POST",
    headers,
    json: {
      title: "Một buổi sáng",
      variant_usage_mode: "sequential",
      variants: [{ content: "<p>First</p>" }, { content: "<p>Second</p>" }],
    },
  });
  const { id } = (made.body as { content: { id: string } }).content;
  await manager.addCredits({ email: owner.email, amount: 1000 });
  const group = await scene.ask("createGroup", {
    json: { name: "Mornings", service_type: "podcast", accounts: [{ website: "studio.example.com", email: "maya@example.com" }] },
  });
  const body = { name: "Week 47", auction_price: 50, target: 2, data: { content_ids: [id, id] } };
  const groupId = "group" in group ? group.group.id : group.id;
  const request = await scene.ask("createRequest", { params: { type: "podcast" }, json: { ...body, group_id: groupId } });
  await scene.ask("startRequest", { params: { type: "podcast", id: request.id } });
  const [task] = await scene.farm("farm-1").pull();
  assert.deepEqual(
    task?.data_content.map(({ title, about }) => [title, about]),
    [
      ["Một buổi sáng", "<p>First</p>"],
      ["Một buổi sáng", "<p>Second</p>"],
    ],
  );
  const after = await requestJson(`${contents}/get-by-id/${id}`, { headers });
  assert.equal((after.body as { content: { _count: { unused_variants: number } } }).content._count.unused_variants, 0);

  const other = { ...body, name: "Week 48", group_id: groupId, data: { content_ids: ["00000000-0000-4000-8000-0000000000ff"] } };
  const unknown = await scene.ask("createRequest", { params: { type: "podcast" }, json: other });
  const refused = await scene.api("POST", `/podcast/${unknown.id}/start`);
  assert.equal(refused.status, 422);
  assert.match(refused.text, /00000000-0000-4000-8000-0000000000ff/);

  const switchedOff = await requestJson(`${contents}/${id}`, { method: "PUT", headers, json: { status: "inactive" } });
  assert.equal(switchedOff.status, 200);
  const third = await scene.ask("createRequest", { params: { type: "podcast" }, json: { ...body, name: "Week 49", group_id: groupId } });
  const inactive = await scene.api("POST", `/podcast/${third.id}/start`);
  assert.deepEqual([inactive.status, inactive.body.code], [422, "unprocessable"]);
  assert.match(inactive.text, /is inactive/);
});
