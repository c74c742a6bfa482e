import type { DriverCard } from "../contract/task.ts";

/** Which driver serves a host besides the hosts of its card. */
export type SitesMap = Readonly<Record<string, { driver: string; origin?: string | undefined }>>;

export interface Site {
  card: DriverCard;
  /** Host with the port where it is not the default. */
  host: string;
  /** e.g. "https://studio.firstory.me" */
  origin: string;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|.+\.localhost)(:\d+)?$/;

/** "https://Studio.Example.com/x" and "studio.example.com" are the same host. */
export function hostOf(domain: string): string {
  const bare = domain
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .replace(/[/?#].*$/, "")
    .toLowerCase();
  return bare.replace(/:443$/, "").replace(/^(.*):80$/, "$1");
}

/** @returns null when no driver of this farm serves the host */
export function findSite(domain: string, cards: readonly DriverCard[], sites: SitesMap): Site | null {
  const host = hostOf(domain);
  const mapped = sites[host];
  const card = mapped
    ? cards.find((one) => one.site === mapped.driver)
    : cards.find((one) => one.hosts.some((name) => hostOf(name) === host));
  if (!card) return null;
  return { card, host, origin: mapped?.origin?.replace(/\/+$/, "") ?? `${LOOPBACK.test(host) ? "http" : "https"}://${host}` };
}

/** All hosts that this farm serves, as announced to the manager. */
export function servedHosts(cards: readonly DriverCard[], sites: SitesMap): string[] {
  const mapped = Object.keys(sites).filter((host) => findSite(host, cards, sites) !== null);
  return [...new Set([...cards.flatMap((card) => card.hosts.map(hostOf)), ...mapped.map(hostOf)])];
}

/** Those of them that can take over a show by its feed. */
export function importingHosts(cards: readonly DriverCard[], sites: SitesMap): string[] {
  return servedHosts(cards, sites).filter((host) => findSite(host, cards, sites)?.card.imports);
}
