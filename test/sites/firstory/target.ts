import type { BenchTarget } from "../../../src/driver/index.ts";
import { openPostOffice } from "../twin/mail.ts";
import { openFirstory } from "./site.ts";

const password = "demo-password";
const show = "午後電台";

/** The twin, with one account to post by and one for each way to be turned away. */
export async function openFirstoryTarget(): Promise<BenchTarget> {
  const office = await openPostOffice();
  const site = await openFirstory({ mail: office.mail });
  const member = (name: string, how: { suspicious?: boolean } = {}) => {
    const email = `${name}@podcrew.example`;
    site.join({ email, password, mailedCode: office.imap !== null, ...how }, show);
    return { email, password, username: show, appPassword: office.appPassword };
  };
  const locked = member("locked");
  return {
    origin: site.origin,
    account: member("maya"),
    ...(office.imap && { imap: office.imap }),
    history: async () => site.shows.history().length,
    enclosures: true,
    shown: { title: "article h1", about: "article .about" },
    refusals: {
      "account.refused": { account: { ...member("forgetful"), password: "demo-password-of-last-year" } },
      "account.locked": { account: locked, prepare: async () => site.members.lock(locked.email) },
      "account.challenged": { account: member("suspicious", { suspicious: true }) },
    },
    async close() {
      await site.close();
      await office.close();
    },
  };
}
