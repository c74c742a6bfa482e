import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSecret } from "otplib";
import type { BenchTarget } from "../../../src/driver/index.ts";
import type { Edges } from "../../../src/studio/edges.ts";
import { openStore } from "../../../src/store/store.ts";
import { openVault } from "../../../src/store/vault.ts";
import { openStudio, type Studio } from "../../../src/studio/studio.ts";
import { Visitor } from "../../studio/support.ts";
import { copyEmptyDatabase, silentLog } from "../store.ts";

/** The studio itself on a free port, with one account to post by and one for each way to be turned away. */
export async function openStudioTarget(edges: Partial<Edges> = {}): Promise<BenchTarget> {
  const dataDir = await mkdtemp(join(tmpdir(), "podcrew-bench-studio-"));
  await copyEmptyDatabase(dataDir);
  const store = await openStore({ dataDir, log: silentLog });
  const config = {
    host: "127.0.0.1",
    port: 0,
    allowedHosts: [],
    dataDir,
    mailFrom: "studio@podcrew.example",
    timeZone: "Asia/Ho_Chi_Minh",
  };
  const studio = await openStudio({
    store,
    vault: openVault({ dataDir, embedded: true }),
    log: silentLog,
    config,
    edges: { processingMs: 100, ...edges },
  });
  const locked = await member(studio, "locked");
  return {
    origin: studio.url,
    account: await member(studio, "maya"),
    history: async () => (await studio.history()).length,
    shown: { title: "article h1", about: "article .prose" },
    interrupt: async () => void (studio.edges.whatsNew = true),
    refusals: {
      "account.refused": { account: { ...(await member(studio, "forgetful")), password: "demo-password-of-last-year" } },
      "totp.refused": { account: { ...(await member(studio, "other-phone")), twofa: generateSecret() } },
      "account.locked": { account: locked, prepare: async () => lock(studio, locked.email) },
      "account.challenged": {
        account: await member(studio, "suspicious"),
        prepare: async () => void (studio.edges.challenge = "sign-in"),
        restore: async () => void (studio.edges.challenge = "off"),
      },
    },
    async close() {
      await studio.close();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Somebody with a show, a password and an authenticator. */
async function member(studio: Studio, name: string) {
  const account = { email: `${name}@podcrew.example`, password: `demo-password-${name}`, twofa: generateSecret() };
  const { id } = await studio.accounts.create({
    email: account.email,
    password: account.password,
    secondFactor: "totp",
    totpSecret: account.twofa,
  });
  await studio.shows.create({ ownerId: id, name: `show-of-${name}`, title: `The show of ${name}` });
  return account;
}

/** Somebody else guesses the password until the account locks. */
async function lock(studio: Studio, email: string): Promise<void> {
  const visitor = new Visitor(studio.url);
  for (let guess = 0; guess < studio.edges.lockAfter; guess++) await visitor.signIn(`demo-guess-${guess}`, email);
}
