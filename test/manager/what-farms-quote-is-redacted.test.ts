import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { addSecret, holdsSecret } from "../../src/kit/redact.ts";
import { withOwner } from "./backlink-support.ts";
import { fund, running } from "./given-requests.ts";

const website = "studio.example.com";
const MORE_THAN_ARE_KNOWN = 5001;

/** As at a manager that has not handed them out itself: after a restart, or one of a fleet. */
function forget(password: string): void {
  for (let at = 0; at < MORE_THAN_ARE_KNOWN; at++) addSecret(randomBytes(12).toString("hex"));
  assert.equal(holdsSecret(password), false, "the process knows it no longer");
}

withOwner("[secrets] a password that a farm quotes in a failure is shown to nobody, whoever handed it out", async (scene) => {
  const { ask, farm, addUser } = scene;
  const password = `demo-${randomBytes(8).toString("hex")}`;
  const group = await ask("createGroup", {
    json: { name: "G", service_type: "podcast", accounts: [{ website, username: "ann", password }] },
  });
  assert.ok("group" in group);
  await fund(scene, 1000);
  const request = await running(scene, { group_id: group.group.id });
  const [task] = await farm("farm-1").pull();
  assert.ok(task);
  forget(password);
  assert.equal(
    (await farm("farm-1").fail(task.id, { error_message: `filled with ${password}, which it refused`, retry: false })).status,
    200,
  );
  const viewer = await addUser("viewer");
  const { text } = await scene.api("GET", `/podcast/${request.id}/links`, { token: viewer.token });
  assert.match(text, /filled with/);
  assert.ok(!text.includes(password), text);
});

withOwner("[secrets] nor is one that a failed check quotes", async (scene) => {
  const { ask, call } = scene;
  const password = `demo-${randomBytes(8).toString("hex")}`;
  const group = await ask("createGroup", {
    json: { name: "G", service_type: "podcast", accounts: [{ website, username: "ann", password }] },
  });
  assert.ok("group" in group);
  await ask("checkAll", { params: { id: group.group.id } });
  const { body } = await call("/checks?limit=10", { worker: "farm-1" });
  const [check] = body.data as { id: string }[];
  forget(password);
  await call(`/checks/${check?.id}`, { method: "POST", worker: "farm-1", json: { ok: false, error_message: `typed ${password}` } });
  const { data } = await ask("listAccounts", { params: { id: group.group.id } });
  assert.match(data[0]?.note ?? "", /typed/);
  assert.ok(!JSON.stringify(data).includes(password));
});
