import { defineDriver } from "../../../src/driver/index.ts";
import { base, listed } from "./pieces.ts";

/** A studio without drafts that keeps the audio file's name: tier list, with a marker. */
export default defineDriver({
  ...base,
  site: "studio-list",
  hosts: ["list.example.com"],
  tier: "list",
  async find(site, { marker }) {
    return (await listed(site, marker)).filter(({ file }) => file.startsWith(marker)).map(({ id, link }) => ({ id, link }));
  },
});
