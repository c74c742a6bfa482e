import { Failure } from "../contract/failures.ts";
import type { Driver } from "./contract.ts";

/**
 * A driver as the engine sees it during an import: the feed stands in the place of an episode, under its address as id, so that
 * look, gate, doubt and count are the same. @throws Failure site.unsupported when the driver can't import
 */
export function asImporter(driver: Driver): Driver {
  const { importFeed, list: _list, discard: _discard, ...rest } = driver;
  if (!importFeed) throw new Failure("site.unsupported", `the driver ${driver.site} can't take over a show by its feed`);
  const { publishRequest, find, prepare, confirm } = importFeed;
  return {
    ...rest,
    tier: "list",
    post: "browser",
    publishRequest,
    find: async (site, { id }) => find(site, id),
    draft: async (site, { id }) => prepare(site, id),
    publish: async (site, { id }) => confirm(site, id),
  };
}
