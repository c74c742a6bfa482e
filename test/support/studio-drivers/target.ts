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
import { dovecotMissing, givenDovecot } from "../dovecot.ts";
import { copyEmptyDatabase, silentLog } from "../store.ts";

/** The studio itself on a free port, with one account to post by and one for each way to be turned away. */
export async function openStudioTarget(edges: Partial<Edges> = {}): Promise<BenchTarget> {
  const dataDir = await mkdtemp(join(tmpdir(), "podcrew-bench-studio-"));
  await copyEmptyDatabase(dataDir);
  const store = await openStore({ dataDir, log: silentLog });
  const undo: (() => Promise<void> | void)[] = [];
  // A member whose mailbox is a real one, where this machine has a mail server.
  const mail = dovecotMissing ? null : await givenDovecot({ after: (step: () => Promise<void>) => void undo.push(step) });
  const config = {
    ...(mail && { smtpUrl: mail.lmtpUrl }),
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
  const maya = await member(studio, "maya");
  return {
    origin: studio.url,
    account: { ...maya, ...(mail && { appPassword: mail.imap.password }) },
    ...(mail && { imap: { ...mail.imap, tls: true }, feed: await feedOf(studio, maya.email) }),
    history: async () => (await studio.history()).length,
    enclosures: true,
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
      for (let step = undo.shift(); step; step = undo.shift()) await step();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A show of somebody else's whose feed names our member as its owner. */
async function feedOf(studio: Studio, ownerEmail: string): Promise<BenchTarget["feed"]> {
  const { id } = await studio.accounts.create({ email: "elsewhere@podcrew.example", password: "demo-password", secondFactor: "none" });
  await studio.shows.create({ ownerId: id, name: "from-elsewhere", title: "Chuyện từ nơi khác", ownerEmail });
  return { feedUrl: `${studio.url}/feeds/from-elsewhere.xml`, history: async () => (await studio.imports()).length };
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
