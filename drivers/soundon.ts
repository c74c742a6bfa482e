import { defineDriver, z, type DriverContext } from "../src/driver/index.ts";

/**
 * SoundOn, in Traditional Chinese. Built from public descriptions, rehearse before use: its sign-in, its form and its
 * dialogs are described by people who automated them; its publish request and what stands in a row of its list are not.
 */
export default defineDriver({
  site: "soundon",
  hosts: ["host.soundon.fm"],
  locale: "zh-TW",
  /** `username`: the show's id, as it follows /app/podcasts/ in the studio's addresses. */
  account: z.object({ email: z.email(), password: z.string(), username: z.string() }),
  // It publishes as often as it is told to, and shows nothing of ours again but the title. Its drafts are left to people.
  tier: "list",
  settleMs: 120_000,
  refusals: {
    "account.locked": /(失敗|嘗試|錯誤)次數過多/,
    "account.refused": /登入失敗|(帳號|密碼).{0,10}(錯誤|不正確)/,
    "account.challenged": { text: /機器人|captcha/i, within: "h1, h2, h3" },
    "content.refused": { text: /發[布佈]失敗/, within: ".ant-message, .ant-message-error" },
  },
  publishRequest: { method: "POST", url: /\/v2\/podcasts\/[^/]+\/episodes(\?|$)/, body: /"status":\s*"publish/ },

  async isSignedIn({ page, account }) {
    await page.goto(listOf(account), quick);
    const add = page.getByRole("button", { name: "新增單集" });
    await add.or(page.locator("#login-form_email")).first().waitFor();
    return add.isVisible();
  },
  async signIn({ page, account, writeText }) {
    await page.goto(listOf(account), quick);
    await writeText(page.locator("#login-form_email"), account.email);
    await writeText(page.locator("#login-form_password"), account.password);
    await page.locator(".so-login-page__submit").click();
    await page.getByRole("button", { name: "新增單集" }).waitFor();
  },
  async list({ page, account, origin }) {
    await page.goto(listOf(account), quick);
    const table = page.locator(".ant-table");
    await table.first().waitFor();
    // While it loads it says that there is nothing, under a spinner.
    await page.locator(".ant-spin-spinning").waitFor({ state: "hidden" });
    const rows = table.locator("tr").filter({ has: page.locator('a[href*="/episodes/"]') });
    await rows.or(table.locator(".ant-empty")).first().waitFor();
    // Also in the moment before the spinner comes. "Nothing there" is believed when nothing more is on its way.
    if ((await rows.count()) === 0) await page.waitForLoadState("networkidle", { timeout: IDLE_MS }).catch(() => undefined);
    await page.locator(".ant-spin-spinning").waitFor({ state: "hidden" });
    await rows.or(table.locator(".ant-empty")).first().waitFor();
    const links = await rows
      .filter({ hasNot: page.getByText("草稿", { exact: true }) })
      .locator('a[href*="/episodes/"]')
      .evaluateAll((found) =>
        found.map((link) => ({ id: link.getAttribute("href")?.split("/").at(-1) ?? "", title: link.textContent?.trim() ?? "" })),
      );
    return links.map(({ id, title }) => ({ id, title, link: playerOf(origin, account, id) }));
  },
  async draft({ page, account, step, writeText, writeHtml }, episode) {
    await page.goto(listOf(account), quick);
    await page.getByRole("button", { name: "新增單集" }).click();
    step("upload");
    await page.locator('input[type="file"]').first().setInputFiles(episode.audioPath);
    await writeText(page.locator("#title"), episode.title);
    await writeHtml(page.locator(".ql-editor"), episode.aboutHtml);
    await page.locator('input[type="radio"][value="public"]').check();
    for (const place of ["#daiStatus", "#daiMiddleStatus"]) await page.locator(`${place} input[value="inactive"]`).check();
    if (episode.coverPath) {
      await page.getByText("更多", { exact: true }).click();
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "上傳封面圖片" }).click()]);
      await chooser.setFiles(episode.coverPath);
      const crop = page.locator(".ant-modal").filter({ hasText: "上傳封面圖片" });
      await crop.locator(".ant-modal-footer .ant-btn-primary").click();
      await crop.waitFor({ state: "hidden" });
    }
    await page
      .locator(".so-audio-uploader__area")
      .filter({ hasText: /將 mp3 檔案拖曳到這裡|(上傳|處理)中|\d%/ })
      .waitFor({ state: "hidden" });
  },
  async publish({ page, account, origin }) {
    await page.getByRole("button", { name: /^發\s?[布佈]$/ }).click();
    // Some are asked whether they are sure, some are not; an episode that is out can be edited.
    const sure = page.locator(".ant-modal").getByRole("button", { name: /^確\s?[認定]$/ });
    const edit = page.getByRole("button", { name: /^編\s?輯$/ });
    await sure.or(edit).first().waitFor();
    if (await sure.isVisible()) await sure.click();
    await edit.waitFor();
    const id = /\/episodes\/(?!new\b)([^/?#]+)/.exec(page.url())?.[1] ?? "";
    return { id, link: id && playerOf(origin, account, id) };
  },
  async feed({ account, origin }) {
    return `${origin.replace("//host.", "//feeds.")}/podcasts/${account.username}.xml`;
  },
});

type Account = DriverContext<{ username: string }>["account"];
/** A page that asks its server over and over is never idle. */
const IDLE_MS = 5000;
const quick = { waitUntil: "domcontentloaded" } as const;

function listOf({ username }: Account): string {
  return `/app/podcasts/${username}/episodes`;
}

/** An episode's public page, at the player's own host. */
function playerOf(origin: string, { username }: Account, id: string): string {
  return `${origin.replace("//host.", "//player.")}/p/${username}/episodes/${id}`;
}
