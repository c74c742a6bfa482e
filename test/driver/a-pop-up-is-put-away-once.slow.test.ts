import assert from "node:assert/strict";
import { test } from "node:test";
import { dismissInterruptions } from "../../src/driver/interruptions.ts";
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
    // As the engine does, which watches for refusals while a verb is at work. Playwright (1.65) may forget one that waits meanwhile.
    await Promise.allSettled(Array.from({ length: 4 }, async () => page.getByLabel("Title").waitFor()));
    assert.equal(await shows(page).isVisible(), false);
    assert.equal(dismissed, round);
  }
});
