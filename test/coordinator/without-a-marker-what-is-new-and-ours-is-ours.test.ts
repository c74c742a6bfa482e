import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAbsence, lookalikes, newOfOurs } from "../../src/coordinator/doubt.ts";

const episode = { title: "Tập  một", prepared: null, baseline: ["1", "2"], attempts: 1, draft_id: null };
const row = (id: string, title = "Tập một"): { id: string; title: string; link: string } => ({ id, title, link: `/e/${id}` });

test("ours is what was not there before the first try, carries our title and belongs to no other episode", () => {
  const listed = [row("1"), row("2", "Another"), row("3"), row("4", "Another"), row("5")];
  assert.deepEqual(newOfOurs(episode, listed, new Set(["5"])), [{ id: "3", link: "/e/3" }]);
});

test("of an episode that was never tried nothing is ours, whatever it is called", () => {
  assert.deepEqual(newOfOurs({ ...episode, attempts: 0 }, [row("3")], new Set()), []);
  assert.deepEqual(newOfOurs({ ...episode, baseline: null }, [row("3")], new Set()), []);
});

test("a title is the same in either form of Unicode and with any space", () => {
  assert.equal(lookalikes(episode, [row("3", "Tập một".normalize("NFD"))], new Set()).length, 1);
  assert.equal(lookalikes(episode, [row("3", "tập một")], new Set()).length, 0);
});

test("two new rows with our title are two copies", () => {
  assert.equal(newOfOurs(episode, [row("3"), row("4")], new Set()).length, 2);
});

test("a site that keeps markers and shows a new row with our title alone may have lost it: a person is asked", () => {
  const verdictOn = (id: string): string | undefined =>
    judgeAbsence(episode, { tier: "list", repost: "after-look" }, lookalikes(episode, [row(id)], new Set()))?.detail;
  assert.equal(verdictOn("3"), "the site shows new entries with its title: /e/3");
  assert.equal(verdictOn("1"), undefined);
});
