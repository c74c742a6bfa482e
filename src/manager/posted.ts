import type { WorkerEpisode } from "../contract/worker-api.ts";

/** An episode that a farm has posted although its task failed, and where it is; "" where it has no page of its own. */
export interface PostedEpisode {
  id: string;
  link: string;
}

/** What moves of a task need to know of it. */
interface Work {
  episodes: readonly WorkerEpisode[];
  posted: readonly PostedEpisode[];
}

/** What is known to be posted once a farm has said this as well. What is not the task's, or known already, is left out. */
export function withPosted({ episodes, posted }: Work, said: Readonly<Record<string, string>> = {}): PostedEpisode[] {
  const known = new Set(posted.map(({ id }) => id));
  const more = episodes.filter(({ id }) => !known.has(id) && Object.hasOwn(said, id));
  return [...posted, ...more.map(({ id }) => ({ id, link: said[id] ?? "" }))];
}

/** What whoever gets the task has to post. One that failed with all of it posted only has to be completed: by the whole. */
export function episodesToPost({ episodes, posted }: Work): WorkerEpisode[] {
  const known = new Set(posted.map(({ id }) => id));
  const left = episodes.filter(({ id }) => !known.has(id));
  return left.length > 0 ? left : [...episodes];
}

/** A completed task's note names all its episodes, also those that an earlier try has posted. Other notes stay as they are. */
export function noteOfAll({ posted }: Pick<Work, "posted">, note: string): string {
  if (posted.length === 0) return note;
  const links = note === "" ? {} : parsed(note);
  return links ? JSON.stringify({ ...Object.fromEntries(posted.map(({ id, link }) => [id, link])), ...links }) : note;
}

function parsed(note: string): object | null {
  try {
    const value: unknown = JSON.parse(note);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
