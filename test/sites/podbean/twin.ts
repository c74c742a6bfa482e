import { createApp, listen } from "../twin/app.ts";
import type { Mail } from "../twin/mail.ts";
import type { HistoryEntry } from "../twin/shows.ts";
import { addApi } from "./api.ts";
import { addPages } from "./pages.ts";
import { createSite, type PodbeanMember, type Site } from "./site.ts";

/**
 * Podbean: its API as documented; its pages with the words that are public (New Episode, draft, schedule, Settings > Feed) and the
 * rest made up.
 */
export interface Podbean {
  origin: string;
  token: string;
  behaviour: Site["behaviour"];
  tries: Site["members"]["tries"];
  add(member: PodbeanMember): PodbeanMember;
  history(): HistoryEntry[];
  drafts(): number;
  close(): Promise<void>;
}

export async function openPodbean(mail?: Mail): Promise<Podbean> {
  const app = await createApp(new URL("./assets/", import.meta.url));
  const site = createSite("maya@podcrew.example", mail);
  addApi(app, site);
  addPages(app, site);
  const origin = await listen(app);
  return {
    origin,
    token: site.token,
    behaviour: site.behaviour,
    tries: site.members.tries,
    add: (member) => site.members.add(member),
    history: () => site.shows.history(),
    drafts: () => site.shows.episodes(site.show.id, "draft").length,
    close: async () => app.close(),
  };
}
