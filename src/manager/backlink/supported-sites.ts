import type { AnnouncedSites } from "../announced-sites.ts";

export interface SupportedSites {
  /** Where some farm posts or imports feeds; null as long as no farm has said where it posts: then every site counts as supported. */
  readonly sites: readonly string[] | null;
  supports(site: string): boolean;
}

export async function readSupportedSites(announced: AnnouncedSites): Promise<SupportedSites> {
  const { primary, secondary } = await announced.all();
  const sites = primary && new Set([...primary, ...(secondary ?? [])]);
  return { sites: sites && [...sites], supports: (site) => !sites || sites.has(site) };
}
