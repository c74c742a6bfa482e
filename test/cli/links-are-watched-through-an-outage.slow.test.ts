import assert from "node:assert/strict";
import { test } from "node:test";
import { givenGateway } from "./given-gateway.ts";
import { givenOwner } from "./given-owner.ts";

test("links are watched while the manager is away, busy and back, to the end and into the file", async (t) => {
  const { start, client, credit, farm, manager, read } = await givenOwner(t);
  await credit(50);
  const accounts = [{ website: "studio.example.com", email: "me@example.com", password: "demo-password" }];
  const made = await client.accounts.createGroup({ body: { name: "Shows", service_type: "podcast", accounts } });
  const group_id = "group" in made ? made.group.id : made.id;
  const data = { episodes: [{ title: "One", about: "A text" }] };
  const { id } = await client.requests.createRequest({
    params: { type: "podcast" },
    body: { name: "Week 47", group_id, auction_price: 50, target: 1, data },
  });
  const gateway = await givenGateway(t, manager.url);
  const watch = start(["links", id, "--watch", "--out", "links.csv"], { env: { MANAGER_URL: gateway.url } });
  await watch.says(new RegExp(`not been started; \`podcrew request start ${id}\``));
  await client.requests.startRequest({ params: { type: "podcast", id } });
  await watch.says(/Week 47: running/);

  await gateway.shut();
  await watch.says(/No manager answers at .*\nIt is asked again for 5 minutes\./);
  await gateway.open();
  await watch.says(/The manager answers again/);
  gateway.judge(() => "busy");
  await watch.says(/is busy.*\nIt is asked again/);
  gateway.judge(() => "pass");
  await watch.says(/(The manager answers again[^]*){2}/);
  const [task] = await farm.pull();
  await farm.start(task?.id ?? "");
  gateway.judge(() => "cut");
  await watch.says(/gave no whole answer.*\nIt is asked again/);
  await farm.complete(task?.id ?? "", { link_post: "https://studio.example.com/1" });
  gateway.judge(() => "pass");
  assert.equal(await watch.ended(), 0, watch.stderr());
  assert.match(watch.stdout(), /Week 47: completed, 1 \/ 1\n.*\n.*https:\/\/studio\.example\.com\/1/);
  assert.match(await read("links.csv"), /https:\/\/studio\.example\.com\/1/);
  assert.match(watch.stderr(), /links\.csv is written\.\n$/);
});
