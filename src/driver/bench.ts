import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Browser, BrowserContext } from "playwright";
import type { FailureCode } from "../contract/failures.ts";
import type { Credentials } from "../contract/task.ts";
import { BENCH_LINK, makeBenchEpisode, mend } from "./bench-files.ts";
import { checkImport } from "./bench-import.ts";
import { openPopUps } from "./bench-pop-up.ts";
import type { BenchTarget } from "./bench-target.ts";
import { enter, launch, STEP_TIMEOUT_MS, type Visit } from "./bench-visit.ts";
import { witnessed } from "./bench-witness.ts";
import { readCopy, readLink } from "./context.ts";
import type { Copy, Driver, Episode } from "./contract.ts";
import { asImporter } from "./feed-import.ts";
import { refusalOn, refusalsFor } from "./refusals.ts";

const FEED_WITHIN_MS = 60_000;

export interface BenchOptions {
  /** null: there is none now, and every promise is skipped. */
  target(): Promise<BenchTarget | null>;
  locale?: string;
}

/**
 * The conformance suite that each driver passes against its site's twin. Call it in a file that `node --test` runs.
 *
 * @example
 * driverBench(driver, { target: async () => ({ origin, account: { email, password }, close: async () => site.close() }) });
 */
export function driverBench(driver: Driver<never> | Driver, options: BenchOptions): void {
  const bench = driver as Driver;
  // Loaded here, so that a farm that imports drivers does not start a test runner.
  const { suite, test: promise, before, after } = process.getBuiltinModule("node:test");

  suite(`driver ${bench.site}`, { concurrency: false }, () => {
    let target: BenchTarget;
    let browser: Browser;
    let folder: string;
    let episode: Episode;
    let draftId: string | null = null;
    let link = "";

    /** How far it came. What can't be kept for want of something earlier is no news; and eight wrong passwords would lock the account. */
    const reached = { target: false, session: false, draft: false, post: false };
    const missing = {
      target: "no target: set DRIVER_URL and DRIVER_ACCOUNT",
      session: "it could not sign in",
      draft: "it could not make a draft",
      post: "nothing was published",
    } as const;
    const test = (name: string, needs: keyof typeof reached, keep: (t: TestContext) => Promise<void>): void =>
      void promise(name, async (t) => {
        const lacks = (["target", "session", "draft", "post"] as const).find((one) => !reached[one]);
        const order = Object.keys(reached);
        return lacks && order.indexOf(lacks) <= order.indexOf(needs) ? t.skip(missing[lacks]) : keep(t);
      });

    /** As in the engine, a session is used again: sites count sign-ins, and an authenticator gives one code in 30 s. */
    let session: Awaited<ReturnType<BrowserContext["storageState"]>> | null = null;
    const stranger = async (
      work: (visit: Visit) => Promise<void>,
      account: Partial<Credentials> = {},
      storageState = session,
      by = bench,
    ): Promise<void> => {
      const context = await browser.newContext({
        baseURL: target.origin,
        locale: options.locale ?? bench.locale ?? "en-US",
        viewport: { width: 1280, height: 900 },
        serviceWorkers: "block",
        ...(storageState && { storageState }),
      });
      try {
        const visit = await enter(by, { ...target, account: { ...target.account, ...account } }, context);
        await work(visit).catch(async (error: unknown) => {
          throw await witnessed(error, visit.page, bench.site);
        });
      } finally {
        await context.close();
      }
    };
    const member = async (work: (visit: Visit) => Promise<void>, by = bench): Promise<void> =>
      stranger(
        async (visit) => {
          if (!session || !(await bench.isSignedIn(visit.site))) await visit.signIn();
          session = await visit.context.storageState({ indexedDB: true });
          await work(visit);
        },
        {},
        session,
        by,
      );

    before(async () => {
      const found = await options.target();
      if (!found) return;
      target = found;
      reached.target = true;
      folder = await mkdtemp(join(tmpdir(), "podcrew-bench-"));
      episode = await makeBenchEpisode(bench, folder);
      browser = await launch();
    });
    after(async () => {
      await browser?.close();
      await target?.close();
      if (folder) await rm(folder, { recursive: true, force: true });
    });

    test("knows that it is not signed in, signs in, knows that it is", "target", async () => {
      const { apiToken = "", password = "" } = target.account;
      // A token is let in everywhere from the start, so that only a wrong one shows whether the driver really asks.
      const byToken = apiToken !== "" && password === "";
      const isNobody = async ({ site }: Visit): Promise<void> =>
        assert.equal(await bench.isSignedIn(site), false, "isSignedIn before signing in");
      if (byToken) await stranger(isNobody, { apiToken: "demo-no-such-token" });
      await stranger(async (visit) => {
        const { site, signIn, context } = visit;
        if (!byToken) await isNobody(visit);
        await signIn();
        assert.equal(await bench.isSignedIn(site), true, "isSignedIn after signing in");
        reached.session = true;
        session = await context.storageState({ indexedDB: true });
      });
    });

    /** As the farm would look: by the marker, else by what is new in the list and carries the title; null: the site can't be asked. */
    let listedBefore: Set<string> | null = null;
    const look = async (site: Visit["site"]): Promise<Copy[] | null> => {
      if (bench.find) return bench.find(site, episode);
      if (!bench.list) return null;
      const entries = await bench.list(site);
      assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length, "list names each id once");
      listedBefore ??= new Set(entries.map(({ id }) => id));
      return entries.filter(({ id, title }) => !listedBefore?.has(id) && title === episode.title);
    };

    test("finds nothing before anything was posted", "session", async (t) => {
      if (!bench.find && !bench.list) return t.skip("the driver is blind");
      await member(async ({ site }) => {
        assert.deepEqual(await look(site), []);
      });
    });

    test("makes one draft, however often it is asked, and publishes nothing by it", "session", async () => {
      await member(async ({ site, published }) => {
        const first = (await bench.draft(site, episode, null)) ?? null;
        const again = (await bench.draft(site, episode, null)) ?? null;
        assert.equal(again, first, "a second draft without the id finds the first one by its marker");
        draftId = (await bench.draft(site, episode, first)) ?? null;
        assert.equal(draftId, first, "a draft with the id continues it");
        if (bench.tier === "drafts") assert.ok(draftId, "a driver of tier drafts returns the draft's id");
        assert.deepEqual((await look(site)) ?? [], [], "a draft is no copy");
        assert.equal(published(), 0, "publish requests");
        reached.draft = true;
      });
    });

    test("publishes by exactly one request, which publishRequest matches, and finds exactly that copy", "draft", async () => {
      const before = (await target.history?.()) ?? 0;
      // What is public in the end is the recording of now, not the one that the draft was made with.
      episode = await mend(episode, folder);
      await member(async ({ site, published }) => {
        const id = (await bench.draft(site, episode, draftId)) ?? null;
        const shown = await bench.publish(site, episode, id);
        assert.ok(shown, "publish returns a link or an id: the proof");
        link = readCopy(shown, target.origin).link;
        assert.equal(published(), 1, "requests that publishRequest matches");
        reached.post = true;
        if (target.history) assert.equal((await target.history()) - before, 1, "publish requests that the site handled");
        if (!bench.find && !bench.list) return;
        const copies = await untilTrue(`find shows the episode`, bench.settleMs + STEP_TIMEOUT_MS, async () => {
          const found = ((await look(site)) ?? []).map(({ link: at, id: key = "" }) => readCopy({ link: at, id: key }, target.origin));
          return found.length > 0 ? found : null;
        });
        assert.equal(copies.length, 1, "copies with our marker");
        if (link) assert.equal(copies[0]?.link, link, "find and publish name the same page");
      });
    });

    test("keeps Vietnamese, links and lists as they were", "post", async (t) => {
      const selectors = target.shown;
      if (!selectors || !link) return t.skip("the target has no public page, or does not say where its texts stand");
      // As a listener: nobody who listens is signed in.
      const listen = async ({ page }: Visit): Promise<void> => {
        await page.goto(link);
        const about = page.locator(selectors.about);
        assert.equal((await page.locator(selectors.title).innerText()).trim(), episode.title);
        const blank = (text: string): string => text.replace(/\s+/g, " ").trim();
        assert.equal(blank(await about.innerText()), episode.aboutText);
        assert.equal(await about.getByRole("link").first().getAttribute("href"), BENCH_LINK);
        assert.equal(await about.locator("li").count(), 2, "list items");
        const empty = await about.locator("p, li").evaluateAll((blocks) => blocks.filter((block) => !block.textContent?.trim()).length);
        assert.equal(empty, 0, "blank lines that nobody wrote");
      };
      await stranger(listen, {}, null);
    });

    test("names a feed that carries the episode", "post", async () => {
      await member(async ({ site }) => {
        const feed = readLink(await bench.feed(site), target.origin);
        await untilTrue(`${feed} carries the episode`, FEED_WITHIN_MS, async () => {
          const answer = await fetch(feed, { signal: AbortSignal.timeout(10_000) });
          return answer.ok && decodeXml(await answer.text()).includes(episode.title) ? true : null;
        });
        if (target.enclosures) await checkRecording(feed, episode);
      });
    });

    test("puts pop-ups away", "draft", async (t) => {
      if (!target.interrupt || bench.interruptions.length === 0) return t.skip("no interruption declared, or the target can't show one");
      await target.interrupt();
      await member(async ({ site, dismissed }) => {
        const another = await makeBenchEpisode(bench, folder);
        const id = (await bench.draft(site, another, null)) ?? null;
        assert.ok(dismissed() > 0, "a pop-up came and was put away");
        if (id) await bench.discard?.(site, another, id);
      });
    });

    test("leaves no field empty when a pop-up opens with its focus", "draft", async (t) => {
      if (bench.post === "request") return t.skip("the driver writes on no page");
      await member(async ({ site, context }) => {
        const taken = await openPopUps(context);
        const another = await makeBenchEpisode(bench, folder);
        const id = (await bench.draft(site, another, null)) ?? null;
        assert.deepEqual([...taken.leftEmpty], [], "fields that stayed empty; write into them by writeText");
        if (id) await bench.discard?.(site, another, id);
        if (taken.fields.length === 0) t.skip("nothing was typed into a field that opens a pop-up");
      });
    });

    test("discards a draft", "draft", async (t) => {
      if (!bench.discard) return t.skip("the driver can't discard");
      await member(async ({ site }) => {
        const another = await makeBenchEpisode(bench, folder);
        const id = (await bench.draft(site, another, null)) ?? null;
        assert.ok(id);
        await bench.discard!(site, another, id);
        await bench.discard!(site, another, id);
        const next = (await bench.draft(site, another, null)) ?? null;
        assert.notEqual(next, id, "a discarded draft is not found again");
        if (next) await bench.discard!(site, another, next);
      });
    });

    test("takes over a show by its feed, once", "session", async (t) => {
      const { importFeed } = bench;
      const { feed } = target;
      if (!importFeed) return t.skip("the driver can't import");
      if (!feed) return t.skip("the target names no feed, or has no mailbox for its owner");
      await member(async (visit) => checkImport(visit, importFeed, feed, target.origin), asImporter(bench));
    });

    test("tells refusals by their code", "session", async (t) => {
      const cases = Object.entries(target.refusals ?? {}) as [
        FailureCode,
        NonNullable<NonNullable<BenchTarget["refusals"]>[FailureCode]>,
      ][];
      if (cases.length === 0) return t.skip("the target lists no refusals");
      for (const [code, { account, prepare, restore }] of cases) {
        const isTold = async ({ page, signIn }: Visit): Promise<void> => {
          await signIn().catch(() => undefined);
          const refusal = await refusalOn(page, refusalsFor(bench, "signIn"));
          assert.equal(refusal?.code, code, `what the page says: ${await page.locator("body").innerText()}`);
        };
        await prepare?.();
        try {
          await stranger(isTold, account, null);
        } finally {
          await restore?.();
        }
      }
    });
  });
}

async function untilTrue<T>(what: string, withinMs: number, look: () => Promise<T | null>): Promise<T> {
  const began = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== null) return seen;
    assert.ok(performance.now() - began < withinMs, `${what} within ${withinMs / 1000} s`);
    await delay(250);
  }
}

function decodeXml(text: string): string {
  return text
    .replace(/&#(?:x([0-9a-f]+)|(\d+));/gi, (_, hex: string, dec: string) =>
      String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(dec)),
    )
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, "&");
}

/** As a podcast player: the feed's item names the recording, and it is what was sent last. */
async function checkRecording(feed: string, { title, audioPath }: Episode): Promise<void> {
  const url = await untilTrue(`${feed} names the recording of the episode`, FEED_WITHIN_MS, async () => {
    const xml = await (await fetch(feed, { signal: AbortSignal.timeout(10_000) })).text();
    const item = xml.split(/<item[\s>]/).find((one, index) => index > 0 && decodeXml(one).includes(title));
    return decodeXml(/<enclosure\b[^>]*\burl="([^"]+)"/.exec(item ?? "")?.[1] ?? "") || null;
  });
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  assert.equal(answer.status, 200, `the recording at ${url}`);
  assert.match(answer.headers.get("content-type") ?? "", /^audio\//, `the recording at ${url}`);
  const heard = Buffer.from(await answer.arrayBuffer());
  assert.ok(heard.equals(await readFile(audioPath)), `the recording at ${url} is another one: ${heard.byteLength} bytes`);
}
