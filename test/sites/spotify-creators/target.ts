import type { BenchTarget } from "../../../src/driver/index.ts";
import { openPostOffice } from "../twin/mail.ts";
import { openSpotifyCreators } from "./site.ts";

const password = "demo-password";

/** The twin, with one account to post by and one for each way to be turned away. */
export async function openSpotifyCreatorsTarget(): Promise<BenchTarget> {
  const office = await openPostOffice();
  const site = await openSpotifyCreators({ mail: office.mail });
  const member = (name: string, how: { suspicious?: boolean; mailedCode?: boolean } = {}) => {
    const email = `${name}@podcrew.example`;
    return { email, password, username: site.join({ email, password, ...how }, `The show of ${name}`).id, appPassword: "" };
  };
  const maya = member("maya", { mailedCode: office.imap !== null });
  // Asked for a code, and nobody here reads the mailbox: in with the password.
  const forgetful = member("forgetful", { mailedCode: true });
  const locked = member("locked");
  return {
    origin: site.origin,
    account: { ...maya, appPassword: office.appPassword },
    ...(office.imap && { imap: office.imap }),
    history: async () => site.shows.history().length,
    enclosures: true,
    interrupt: async () => void (site.edges.cookieBanner = true),
    refusals: {
      "account.refused": { account: { ...forgetful, password: "demo-password-of-last-year" } },
      "account.locked": { account: locked, prepare: async () => site.members.lock(locked.email) },
      "account.challenged": { account: member("suspicious", { suspicious: true }) },
      "site.unreachable": {
        account: member("unlucky"),
        prepare: async () => void (site.edges.oops = true),
        restore: async () => void (site.edges.oops = false),
      },
    },
    async close() {
      await site.close();
      await office.close();
    },
  };
}
