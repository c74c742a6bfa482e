import { defineDriver } from "../../../src/driver/index.ts";
import { base, listed } from "./pieces.ts";

/** A studio without drafts that forgets the audio file's name: only ids and titles tell whose an episode is. */
export default defineDriver({
  ...base,
  site: "studio-list-unmarked",
  hosts: ["list-unmarked.example.com"],
  tier: "list",
  async list(site) {
    return (await listed(site, "")).map(({ id, title, link }) => ({ id, title, link }));
  },
});
