import { setTimeout as delay } from "node:timers/promises";
import type { ShowResource } from "../../contract/podops-resource.ts";
import type { PodopsClient } from "../../kit/podops-client.ts";
import { LOOK_EVERY_MS, NO_NEWS_MS, SECOND_TRY_MS } from "./import-episodes.ts";
import type { ShowOfFeed } from "./feed-resources.ts";
import { refusedWith } from "./studio-client.ts";

type Image = NonNullable<ShowOfFeed["image"]>;

/** null: there is none. */
export async function readShow(studio: PodopsClient, guid: string): Promise<ShowResource | null> {
  try {
    const found = await studio.readResource({ params: { prod: guid, kind: "show", id: guid } });
    return found.kind === "show" ? found : null;
  } catch (error) {
    if (refusedWith(error) === 404) return null;
    throw error;
  }
}

/** Asks for the feed's cover while the show has none that anybody chose, whatever became of it in an earlier run. */
export async function askForCover(studio: PodopsClient, show: ShowResource, wanted: Image): Promise<void> {
  const { image, metadata } = show;
  if (image?.uri === wanted.uri && image.problem === undefined) return;
  if (image?.state === "ready" && (await drawnOf(studio, show, image.guid)) === null) return;
  await chooseCover(studio, metadata.parent, wanted);
}

/** Waits until the cover is here, as for episodes. Where it can't be had, the drawn one stays, so that the show can be built. */
export async function untilCover(studio: PodopsClient, guid: string, left: string[]): Promise<void> {
  let troubled = Infinity;
  for (const began = performance.now(); ; await delay(LOOK_EVERY_MS)) {
    const show = await readShow(studio, guid);
    const image = show?.image;
    if (!show || image?.state === "ready") return;
    const now = performance.now();
    if (image?.problem) troubled = Math.min(troubled, now);
    const open = image?.state === "waiting" || image?.state === "processing";
    if (open && now - began < NO_NEWS_MS && now - troubled < SECOND_TRY_MS) continue;
    left.push(`image of the show (${image?.problem ?? image?.state ?? "gone"})`);
    const drawn = await drawnOf(studio, show);
    if (drawn !== null) await chooseCover(studio, guid, { uri: drawn });
    return;
  }
}

/** The rest of the show stays as it is now. */
async function chooseCover(studio: PodopsClient, guid: string, image: Image): Promise<void> {
  const show = await readShow(studio, guid);
  if (!show) return;
  await studio.updateResource({ params: { prod: guid, kind: "show", id: guid }, body: { ...show, image } });
}

/**
 * The cover that the studio drew when it made the show: a file without a name of its own that is no younger than the show.
 * @param only that file counts. @returns its GUID; null: it is none, or there is none
 */
async function drawnOf(studio: PodopsClient, { metadata: show }: ShowResource, only?: string): Promise<string | null> {
  const { parent: prod } = show;
  const { resources } = await studio.listResources({ params: { prod, kind: "asset" } });
  const drawn = resources.find((one) => {
    if (one.kind !== "asset" || (only ?? one.metadata.guid) !== one.metadata.guid) return false;
    const { metadata, enclosure } = one;
    const unnamed = metadata.name === `asset-${metadata.guid}`;
    return (
      unnamed && enclosure.rel === "local" && enclosure.type.startsWith("image/") && Date.parse(metadata.date) <= Date.parse(show.date)
    );
  });
  return drawn?.metadata.guid ?? null;
}
