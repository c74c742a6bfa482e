import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { judge, withProblems } from "../../../src/cli/chaos/verdict.ts";
import type { Asked } from "../../../src/cli/chaos/world.ts";
import { givenWorld } from "../browser/given-world.ts";
import { jumpClock } from "../browser/jump-clock.ts";
import { ownFarm } from "../browser/own-farm.ts";
import { untilOver } from "../browser/until-over.ts";
import { faults, vary } from "../browser/wire-faults.ts";
import type { ChaosScenario } from "../support/scenario.ts";
import { openTcpProxy, type Fault, type TcpProxy } from "../support/tcp-proxy.ts";

const publishLine = /^POST \/shows\/[^/]+\/episodes\/[^/]+\/publish$/;

/** The farm's requests to a studio, by the browser or in its session. */
const edges: Record<string, { line: RegExp; body?: RegExp; totp?: true; cover?: true }> = {
  "sign-in": { line: /^POST \/login$/ },
  code: { line: /^POST \/login\/code$/, totp: true },
  listing: { line: /^GET \/shows\/[^/]+\/episodes\?search=/ },
  page: { line: /^GET \/shows\/[^/]+\/episodes\/new/ },
  audio: { line: /^POST \/shows\/[^/]+\/assets/, body: /name="audio"/ },
  cover: { line: /^POST \/shows\/[^/]+\/assets/, body: /name="cover"/, cover: true },
  save: { line: /^POST \/shows\/[^/]+\/episodes$/ },
  publish: { line: publishLine },
  feed: { line: /^GET \/shows\/[^/]+\/distribution/ },
};

/** Faults after which the answer is there all the same: by default only where one answer too few or too many costs something. */
const isMild: ReadonlySet<Fault["kind"]> = new Set(["slow", "twice"]);
const costly: ReadonlySet<string> = new Set(["sign-in", "publish"]);

interface Case {
  edge: string;
  fault: Fault;
  door: TcpProxy;
  asked: Asked;
}

/**
 * Every request of the farm to a studio is hit by every fault: each on an account of its own, by a door of its own.
 * An outage ends no episode, and the site hears of each publish once: also after a request that was lost without a word,
 * since the look that follows tells the two cases apart.
 */
export const scenario: ChaosScenario = {
  name: "browser-network",
  title: "network faults, studio edges",
  async run(context) {
    const clock = jumpClock();
    const world = await givenWorld(context, clock);
    const cover = join(world.mediaDir, "cover.jpg");
    await writeFile(
      cover,
      await sharp({ create: { width: 1400, height: 1400, channels: 3, background: "#336699" } })
        .jpeg()
        .toBuffer(),
    );
    const rounds = context.size(1, 10);
    const cases: Case[] = [];
    for (let round = 0; round < rounds; round++)
      for (const [edge, { line, body, totp, cover: withCover }] of Object.entries(edges))
        for (const fault of faults) {
          if (!context.long && isMild.has(fault.kind) && !costly.has(edge)) continue;
          const door = await openTcpProxy(world.studio.url);
          context.after(async () => door.close());
          door.harm(line, vary(fault, round), 1, body);
          const member = await world.member(totp ? "totp" : "none");
          const title = `${edge} × ${fault.kind}${rounds > 1 ? ` ${round + 1}` : ""}`;
          cases.push({
            edge,
            fault,
            door,
            asked: await world.ask(member, { by: door.url, title, ...(withCover && { image_url: cover }) }),
          });
        }
    const own = await ownFarm(context, world, {
      clock,
      studioUrls: cases.map(({ door }) => door.url),
      settings: { concurrency: 6, stepSeconds: 10, settleSeconds: 12.5 },
    });
    await own.farm.start();
    const persons = await untilOver(context, world, { status: () => own.farm.status(), jump: async (ms) => own.jump(ms) });
    const unhit = cases.filter(({ door, fault }) => !door.passages.some(({ fault: kind }) => kind === fault.kind));
    const wire = cases.map(({ asked, door }) => ({
      title: asked.title,
      requests: door.passages.filter(({ line, reached }) => reached && publishLine.test(line)).length,
    }));
    const verdict = judge({
      title: scenario.title,
      faults: cases.length - unhit.length,
      publishes: await world.publishes(),
      asked: await world.endings(persons),
      detectMs: [],
      recoverMs: [],
    });
    return withProblems(verdict, [
      ...unhit.map(({ asked }) => `${asked.title}: the fault hit nothing.`),
      ...wire
        .filter(({ requests }) => requests !== 1)
        .map(({ title, requests }) => `${title}: the site heard of ${requests} publish requests.`),
      ...(verdict.inDoubt > 0 ? [`${verdict.inDoubt} episodes wait for a person, although the site has drafts.`] : []),
    ]);
  },
};
