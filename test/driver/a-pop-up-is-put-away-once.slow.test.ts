import assert from "node:assert/strict";
import { test } from "node:test";
import { dismissInterruptions } from "../../src/driver/interruptions.ts";
import { wantedIn } from "../../src/driver/nearest.ts";
import { untilRefused } from "../../src/driver/refusals.ts";
import { givenPage } from "./support.ts";

const ROUNDS = 5;
const STEP_MS = 1500;

test("a pop-up is put away once, however many wait on its page", async (t) => {
  const page = await givenPage(t);
  page.setDefaultTimeout(STEP_MS);
  let dismissed = 0;
  const shows = (shownOn: typeof page) => shownOn.locator("dialog");
  await dismissInterruptions(page, [
    {
      shows,
      dismiss: async (shownOn) => {
        dismissed += 1;
        await shows(shownOn).getByRole("button").click();
      },
    },
  ]);
  for (let round = 1; round <= ROUNDS; round++) {
    await page.setContent(
      '<label>Title <input /></label><dialog><button onclick="this.parentNode.close()">Got it</button></dialog><script>document.querySelector("dialog").showModal()</script>',
    );
    // As a driver may that waits for one of several things. Playwright (1.65) may forget one that waits meanwhile.
    await Promise.allSettled(Array.from({ length: 4 }, async () => page.getByLabel("Title").waitFor()));
    assert.equal(await shows(page).isVisible(), false);
    assert.equal(dismissed, round);
  }
});

const POP_UP = "<dialog><button>Got it</button></dialog>";

/** What a page of the next address may do while its forerunner's pop-up is being put away. */
const comesAgain = `<label>Title <input /></label>${POP_UP}<script>
  const popUp = document.querySelector("dialog");
  let times = 0;
  popUp.firstChild.onclick = () => { popUp.close(); if (++times === 1) popUp.showModal(); };
  popUp.showModal();
</script>`;

test("a pop-up that is there again at once is put away again", async (t) => {
  const page = await givenPage(t);
  const shows = (shownOn: typeof page) => shownOn.locator("dialog");
  await dismissInterruptions(page, [{ shows, dismiss: async (shownOn) => shows(shownOn).getByRole("button").click() }]);
  await page.setContent(comesAgain);
  await page.getByLabel("Title").fill("Written", { timeout: 15_000 });
  assert.equal(await page.getByLabel("Title").inputValue(), "Written");
});

test("a pop-up that goes by itself while it is being put away holds nobody up", async (t) => {
  const page = await givenPage(t);
  const shows = (shownOn: typeof page) => shownOn.locator("dialog");
  const dismiss = async (shownOn: typeof page): Promise<void> => {
    await shows(shownOn).evaluate((popUp) => popUp.remove());
    await shows(shownOn).getByRole("button").click();
  };
  await dismissInterruptions(page, [{ shows, dismiss }]);
  await page.setContent(`<label>Title <input /></label>${POP_UP}<script>document.querySelector("dialog").showModal()</script>`);
  await page.getByLabel("Title").fill("Written", { timeout: 15_000 });
  assert.equal(await page.getByLabel("Title").inputValue(), "Written");
});

test("a pop-up that can't be put away ends the step, not the process, and is named", async (t) => {
  const page = await givenPage(t);
  const shows = (shownOn: typeof page) => shownOn.locator("dialog");
  let tries = 0;
  const dismiss = (): Promise<void> => {
    tries += 1;
    if (tries > 1) throw new Error("not even a promise");
    return Promise.reject(new Error("no such button"));
  };
  await dismissInterruptions(page, [{ shows, dismiss }]);
  await page.setContent(`<label>Title <input /></label>${POP_UP}<script>document.querySelector("dialog").showModal()</script>`);
  const failed = await page
    .getByLabel("Title")
    .fill("Written", { timeout: 3000 })
    .catch((error: Error) => error);
  assert.match(failed?.message ?? "", /Timeout 3000ms exceeded/);
  assert.deepEqual(wantedIn(failed?.message ?? ""), {
    text: "getByLabel('Title')",
    found: "not looked for, as the pop-up locator('dialog').first() was not put away",
  });
  assert.ok(tries > 1, "it was tried again");
});

test("who watches for refusals takes no part in putting pop-ups away, which could make Playwright forget the step that waits", async (t) => {
  const page = await givenPage(t);
  let dismissed = 0;
  const shows = (shownOn: typeof page) => shownOn.locator("dialog");
  const dismiss = async (shownOn: typeof page): Promise<void> => {
    dismissed += 1;
    await shows(shownOn).evaluate((popUp) => popUp.remove());
  };
  await dismissInterruptions(page, [{ shows, dismiss }]);
  await page.setContent(
    `<label>Title <input /></label>${POP_UP}<p>That is not allowed.</p><script>document.querySelector("dialog").showModal()</script>`,
  );
  const refused = await untilRefused(page, [["content.refused", /not allowed/i]], new AbortController().signal);
  assert.equal(refused?.code, "content.refused");
  assert.equal(dismissed, 0);
  await page.getByLabel("Title").fill("Written");
  assert.equal(dismissed, 1);
});
