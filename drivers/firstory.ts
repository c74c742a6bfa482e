import { defineDriver, z, type DriverContext } from "../src/driver/index.ts";

/**
 * Firstory Studio, in Traditional Chinese. Built from public descriptions, rehearse before use: the way through the
 * studio, its buttons and its editor are described; the name of its publish operation, the words of its refusals and the form
 * of its addresses are not.
 */
export default defineDriver({
  site: "firstory",
  hosts: ["studio.firstory.me"],
  locale: "zh-TW",
  /** `username`: the show's name, as the dashboard has it. */
  account: z.object({ email: z.email(), password: z.string(), username: z.string(), appPassword: z.string().optional() }),
  // It has drafts, but nothing of ours that it shows again: an episode is known by its id, and by its title where that is lost.
  tier: "list",
  settleMs: 120_000,
  refusals: {
    "account.refused": /(帳號|密碼|e-?mail|password).{0,20}(錯誤|不正確|incorrect|wrong|invalid)/i,
    "account.locked": /(失敗|嘗試|錯誤)次數過多|too many (tries|attempts)/i,
    "account.challenged": { text: /機器人|robot|captcha/i, within: "h1, h2, [role=dialog]" },
    "totp.refused": /驗證碼.{0,10}(錯誤|失效|不正確)/,
    "content.refused": { text: /發佈失敗/, within: "[role=status], [role=alert]" },
  },
  publishRequest: { method: "POST", url: /\/graphql\b/, body: /"operationName":"publish(?!ed)\w*"/i },

  async isSignedIn({ page, account }) {
    await page.goto("/dashboard", quick);
    const show = page.getByText(account.username, { exact: true }).first();
    await show.or(page.locator('input[type="password"]')).first().waitFor();
    return show.isVisible();
  },
  async signIn({ page, account, mailedCode, writeText }) {
    await page.goto("/dashboard", quick);
    await writeText(page.locator('input[type="email"]'), account.email);
    await writeText(page.locator('input[type="password"]'), account.password);
    await page.getByRole("button", { name: "登入" }).click();
    const code = page.getByLabel("驗證碼");
    const show = page.getByText(account.username, { exact: true }).first();
    await code.or(show).first().waitFor();
    if (await show.isVisible()) return;
    const resend = async (): Promise<void> => page.getByRole("button", { name: "重新寄送" }).click();
    await writeText(code, await mailedCode({ from: ["@firstory.me", "@firstory.io"], resend }));
    await page.getByRole("button", { name: "確認" }).click();
    await show.waitFor();
  },
  async list(site) {
    const rows = await open(site, "已發佈");
    return rows.evaluateAll((links) =>
      links.map((link) => ({
        id: link.getAttribute("href")?.split("/").at(-1) ?? "",
        title: link.textContent ?? "",
        link: link.closest("li, tr")?.querySelector('a[href*="/story/"]')?.getAttribute("href") ?? "",
      })),
    );
  },
  async draft(site, episode, draftId) {
    const { page, step, writeText, writeHtml } = site;
    const kept = await find(site, episode.title, draftId);
    await (kept ?? page.getByRole("link", { name: "上傳單集" })).click();
    step("upload");
    await page.locator('input[type="file"][accept*="audio"]').setInputFiles(episode.audioPath);
    if (episode.coverPath) await page.locator('input[type="file"][accept*="image"]').setInputFiles(episode.coverPath);
    await writeText(page.locator('input[type="text"]').first(), episode.title);
    await writeHtml(page.locator(".ql-editor"), episode.aboutHtml);
    // Both buttons open when the files are there; should they be open before, the progress shows it.
    await page.getByRole("progressbar").filter({ visible: true }).first().waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "儲存草稿" }).click();
    await page.getByText(/草稿已儲存|已儲存草稿|儲存成功/).waitFor();
    if (!kept) await (await find(site, episode.title, null))?.click();
    await page.getByRole("button", { name: "下一步" }).click();
    await page.getByRole("button", { name: "立即發佈" }).waitFor();
    return page.url().split("/").at(-1);
  },
  async publish(site, _episode, draftId) {
    const now = site.page.getByRole("button", { name: "立即發佈" });
    await now.click();
    await now.waitFor({ state: "hidden" });
    await open(site, "已發佈");
    const row = site.page.locator("li, tr").filter({ has: site.page.locator(`a[href$="/episodes/${draftId}"]`) });
    const story = row.locator('a[href*="/story/"]');
    return { id: draftId ?? "", link: (await story.getAttribute("href")) ?? "" };
  },
  async discard(site, _episode, draftId) {
    const { page } = site;
    const draft = (await open(site, "草稿")).and(page.locator(`[href$="/${draftId}"]`));
    if ((await draft.count()) === 0) return;
    await draft.click();
    await page.getByRole("button", { name: "刪除" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "確定" }).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  },
  async feed({ page, account }) {
    await goTo({ page, account }, /發佈平台|distribution/i);
    // An icon copies it, and it is nowhere to be read: other sessions share the browser's clipboard, so it is caught on its way there.
    await page.evaluate(() => {
      navigator.clipboard.writeText = async (text) => void (document.documentElement.dataset["copied"] = text);
    });
    await page
      .getByRole("button", { name: /複製|copy/i })
      .first()
      .click();
    return (await page.locator("html[data-copied]").getAttribute("data-copied")) ?? "";
  },
});

type Site = Pick<DriverContext<{ username: string }>, "page" | "account">;
const quick = { waitUntil: "domcontentloaded" } as const;

/** A page of the show's side bar, afresh: from the dashboard, where nothing of a page of that kind can stand. */
async function goTo({ page, account }: Site, name: string | RegExp): Promise<void> {
  await page.goto("/dashboard", quick);
  await page.getByText(account.username, { exact: true }).first().click();
  await page.getByRole("link", { name }).first().click();
}

/** The rows of a tab of 集數管理, once they are there, or once the site says that there are none. */
async function open(site: Site, tab: "已發佈" | "草稿") {
  const { page } = site;
  await goTo(site, "集數管理");
  await page.getByRole("tab", { name: tab }).click();
  const panel = page.getByRole("tabpanel", { name: tab });
  const rows = panel.locator('a[href*="/episodes/"]');
  await rows
    .or(panel.getByText(/(沒有|尚無|還沒).*(單集|集數|草稿)/))
    .first()
    .waitFor();
  return rows;
}

/** A draft by its id, and then by nothing else: one that is gone was published, or taken away by a person. By its title where we know no id. */
async function find(site: Site, title: string, draftId: string | null) {
  const rows = await open(site, "草稿");
  if (draftId) return rows.and(site.page.locator(`[href$="/${draftId}"]`));
  const named = rows.and(site.page.getByRole("link", { name: title, exact: true })).first();
  return (await named.count()) > 0 ? named : null;
}
