import assert from "node:assert/strict";
import { Failure } from "../../src/contract/failures.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import type { Script } from "../support/scripted-worker.ts";
import { eachBackend } from "../support/store.ts";
import { passTime } from "../support/virtual-clock.ts";

const mailbox = { email: "maya+one@example.com", app_password: "demo-app-password" };

eachBackend("a mailbox that refused its password is not tried again, by any farm, until the password changes", async (t, { store }) => {
  const world = await givenWorld(t, store);
  let opened = 0;
  let right = false;
  const script: Script = async (point, { calls }) => {
    if (point !== "sign-in") return;
    if (!(await calls.maySubmitCredentials()).allowed) throw new Failure("account.budget", "not now");
    if (!(await calls.mayOpenMailbox()).allowed) throw new Failure("mailbox.refused", "known");
    opened += 1;
    if (right) return calls.credentialsJudged("accepted");
    await calls.mailboxRefused(false);
    await calls.credentialsJudged("unjudged");
    await calls.mailboxRefused(true);
    throw new Failure("mailbox.refused", "imap.example.com:993");
  };
  const ended = async (id: string) => {
    const task = world.manager.tasks.get(id);
    await passTime(world.clock, `${id} has ended`, () => task?.status === "failed" || task?.status === "completed");
    return [task?.status, task?.["code"], task?.["retry"]];
  };
  await world.farm({ script });
  world.manager.add(aTask("t1", { account_id: "one", ...mailbox }, 1));
  assert.deepEqual(await ended("t1"), ["failed", "mailbox.refused", false]);
  assert.equal(opened, 1);

  await world.farm({ script });
  world.manager.add(aTask("t2", { account_id: "one", ...mailbox }, 1));
  assert.deepEqual(await ended("t2"), ["failed", "mailbox.refused", false]);
  world.manager.add(aTask("t3", { account_id: "two", ...mailbox, email: "Maya+two@example.com" }, 1));
  assert.deepEqual(await ended("t3"), ["failed", "mailbox.refused", false], "another address of the same mailbox");
  assert.equal(opened, 1);
  const submits = await store.raw("select id from farm.credential_submits");
  assert.equal(submits.rows.length, 1, "nothing was submitted at the site either");

  right = true;
  world.manager.add(aTask("t4", { account_id: "two", ...mailbox, email: "maya+two@example.com", app_password: "demo-mended" }, 1));
  assert.deepEqual(await ended("t4"), ["completed", undefined, undefined]);
  assert.equal(opened, 2);
});
