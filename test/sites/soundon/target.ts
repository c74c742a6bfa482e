import type { BenchTarget } from "../../../src/driver/index.ts";
import { openSoundOn } from "./site.ts";

const password = "demo-password";

/** The twin, with one account to post by and one for each way to be turned away. */
export async function openSoundOnTarget(): Promise<BenchTarget> {
  const site = await openSoundOn();
  const member = (name: string, how: { suspicious?: boolean } = {}) => {
    const email = `${name}@podcrew.example`;
    return { email, password, username: site.join({ email, password, ...how }, `${name} 的節目`).id };
  };
  const locked = member("locked");
  return {
    origin: site.origin,
    account: member("maya"),
    history: async () => site.shows.history().length,
    enclosures: true,
    shown: { title: "article h1", about: "article .about" },
    refusals: {
      "account.refused": { account: { ...member("forgetful"), password: "demo-password-of-last-year" } },
      "account.locked": { account: locked, prepare: async () => site.members.lock(locked.email) },
      "account.challenged": { account: member("suspicious", { suspicious: true }) },
    },
    close: async () => site.close(),
  };
}
