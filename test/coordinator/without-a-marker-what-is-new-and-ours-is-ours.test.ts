import assert from "node:assert/strict";
import { test } from "node:test";
import { isContested, judgeAbsence, lookalikes, newOfOurs, strangers, type Neighbour } from "../../src/coordinator/doubt.ts";

const episode = { title: "Tập  một", prepared: null, baseline: ["1", "2"], attempts: 1, draft_id: null };
const row = (id: string, title = "Tập một"): { id: string; title: string; link: string } => ({ id, title, link: `/e/${id}` });
const neighbour: Neighbour = { title: "Tập một", site_id: null, draft_id: null, link: null };
const known = (id: string): Neighbour => ({ ...neighbour, site_id: id });

test("ours is what was not there before the first try, carries our title and belongs to no other episode", () => {
  const listed = [row("1"), row("2", "Another"), row("3"), row("4", "Another"), row("5")];
  assert.deepEqual(newOfOurs(episode, listed, [known("5")]), [{ id: "3", link: "/e/3" }]);
});

test("of an episode that was never tried nothing is ours, whatever it is called", () => {
  assert.deepEqual(newOfOurs({ ...episode, attempts: 0 }, [row("3")], []), []);
  assert.deepEqual(newOfOurs({ ...episode, baseline: null }, [row("3")], []), []);
});

test("a title is the same in either form of Unicode and with any space", () => {
  assert.equal(lookalikes(episode, [row("3", "Tập một".normalize("NFD"))], []).length, 1);
  assert.equal(lookalikes(episode, [row("3", "tập một")], []).length, 0);
});

test("two new rows with our title are two copies", () => {
  assert.equal(newOfOurs(episode, [row("3"), row("4")], []).length, 2);
});

test("a site that keeps markers and shows a new row with our title alone may have lost it: a person is asked", () => {
  const verdictOn = (id: string): string | undefined =>
    judgeAbsence(episode, { tier: "list", repost: "after-look" }, lookalikes(episode, [row(id)], []))?.detail;
  assert.equal(verdictOn("3"), "the site shows new entries with its title: /e/3");
  assert.equal(verdictOn("1"), undefined);
});

test("two episodes with one title, neither known on the site: what is new is nobody's, and a person is asked", () => {
  const listed = [row("3"), row("4")];
  assert.ok(isContested(episode, [neighbour]));
  assert.deepEqual(newOfOurs(episode, listed, [neighbour]), []);
  const { detail } = judgeAbsence(episode, { tier: "list", repost: "after-look" }, lookalikes(episode, listed, [neighbour])) ?? {};
  assert.equal(detail, "the site shows new entries with its title: /e/3, /e/4");
});

test("a new entry under a title of nobody may be ours, cut or changed by the site: a person is asked before it is posted again", () => {
  const listed = [row("1"), row("2", "Renamed since"), row("3", "Tập mộ…"), row("4", "Tập hai")];
  const unknown = strangers(episode, listed, [{ ...neighbour, title: "Tập hai" }]);
  assert.deepEqual(
    unknown.map(({ id }) => id),
    ["3"],
  );
  const { detail } = judgeAbsence(episode, { tier: "list", repost: "after-look" }, [], unknown) ?? {};
  assert.equal(detail, "the site, which keeps no marker, shows new entries under titles that are none of ours; one may be it: /e/3");
  assert.deepEqual(strangers(episode, [row("3", "Tập mộ…")], [known("3")]), [], "one that another episode's proof names is that one's");
});

test("one that is known by id or address, or has another title, stands in nobody's way", () => {
  for (const other of [{ site_id: "9" }, { link: "/e/9" }, { title: "Tập hai" }])
    assert.ok(!isContested(episode, [{ ...neighbour, ...other }]), JSON.stringify(other));
});

test("an entry that another episode's proof named by its address alone is that one's", () => {
  assert.deepEqual(lookalikes(episode, [row("3")], [{ ...known(""), site_id: null, link: "/e/3" }]), []);
});

test("our own draft that the site lists as published is ours, whatever its title has become", () => {
  const drafted = { ...episode, draft_id: "7" };
  assert.deepEqual(newOfOurs(drafted, [row("7", "Tập một…")], []), [{ id: "7", link: "/e/7" }]);
  assert.deepEqual(newOfOurs({ ...drafted, baseline: ["7"] }, [row("7")], []), [], "a list that shows drafts proves nothing");
  assert.deepEqual(lookalikes(drafted, [row("7")], []), [], "and it is nobody's copy of ours");
});
