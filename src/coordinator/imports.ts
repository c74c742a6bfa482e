import type { PreparedEpisode } from "../contract/task.ts";
import type { WorkerTask } from "../contract/worker-api.ts";

/**
 * A secondary task has no episodes: its one piece of work is the feed to import, which stands where an episode would, under
 * the feed's address. So it is armed, gated, doubted, looked up and reported like one, and done once on an account, whichever
 * task brings it.
 */
export function isImport(task: Pick<WorkerTask, "kind">): boolean {
  return task.kind === "secondary";
}

/** The task with its feed as its work. @returns null when it names no feed that could be imported */
export function withFeedAsWork(task: WorkerTask): WorkerTask | null {
  const url = URL.parse(task.link_rss ?? "");
  if (!url || !/^https?:$/.test(url.protocol)) return null;
  // Where a person wrote it differently it is the same feed all the same.
  url.hash = "";
  return { ...task, data_content: [{ id: url.href, title: `the feed ${url.host}${url.pathname}`, about: "", image_url: "" }] };
}

/** A feed in the place of an episode: nothing of it is a file. */
export function feedToImport(url: string, feed: { title: string; ownerEmail: string; language: string }, marker: string): PreparedEpisode {
  return {
    id: url,
    title: feed.title || url,
    aboutHtml: "",
    aboutText: "",
    coverPath: null,
    audioPath: "",
    audioSeconds: 0,
    language: feed.language,
    narrated: false,
    marker,
    feed: { ownerEmail: feed.ownerEmail },
  };
}
