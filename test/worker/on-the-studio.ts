import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { generateSecret } from "otplib";
import type { Assignment, PreparedEpisode } from "../../src/contract/task.ts";
import type { Edges } from "../../src/studio/edges.ts";
import type { Studio } from "../../src/studio/studio.ts";
import { givenStudio, wav } from "../studio/support.ts";
import { makeAssignment, makeEpisode } from "../support/coordinator.ts";
import { givenPglite } from "../support/store.ts";

/** A real studio with one account and its show, and what a worker must be given to post there. */
export interface OnTheStudio {
  studio: Studio;
  credentials: Assignment["credentials"];
  assign(over?: Partial<Assignment>): Assignment;
  /** With a recording of its own. */
  episode(number: number): Promise<PreparedEpisode>;
  /** What the studio wrote down of publish requests: "published Tập 1: …". */
  history(): Promise<string[]>;
}

export async function onTheStudio(
  t: TestContext,
  { secondFactor = "none", edges = {} }: { secondFactor?: "none" | "totp"; edges?: Partial<Edges> } = {},
): Promise<OnTheStudio> {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given, { edges });
  const email = "maya@example.com";
  const password = `demo "pass" <word> & ${randomBytes(4).toString("hex")}`;
  const twofa = secondFactor === "totp" ? generateSecret() : "";
  const { id } = await studio.accounts.create({ email, password, secondFactor, ...(twofa && { totpSecret: twofa }) });
  await studio.shows.create({ ownerId: id, name: "slow-mornings", title: "Slow Mornings" });
  const credentials = { email, username: "", password, passMail: "", twofa, appPassword: "", cookie: "" };
  const driverModule = new URL("../../drivers/podcrew-studio.ts", import.meta.url).href;
  return {
    studio,
    credentials,
    assign: (over) =>
      makeAssignment({
        origin: studio.url,
        driverModule,
        folder: given.dataDir,
        site: "podcrew-studio",
        accountKey: "podcrew-studio:1",
        credentials,
        stepTimeoutMs: 10_000,
        ...over,
      }),
    async episode(number) {
      const episode = makeEpisode(number);
      const audioPath = join(given.dataDir, `${episode.marker}.wav`);
      await writeFile(audioPath, wav(1));
      return { ...episode, audioPath };
    },
    history: async () => (await studio.history()).map(({ outcome, title }) => `${outcome} ${title}`),
  };
}
