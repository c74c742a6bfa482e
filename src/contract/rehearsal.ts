import { z } from "zod";

/** What a walk through a site found of what its driver looks for: written by a worker, read by `podcrew driver rehearse`. */
export const rehearsalReport = z.object({
  site: z.string(),
  origin: z.string(),
  /** ISO 8601. */
  at: z.string(),
  sightings: z.array(
    z.object({
      verb: z.string(),
      /** As Playwright writes it: `getByLabel('Title')`. */
      locator: z.string(),
      /** The method that was called on it. */
      action: z.string(),
      /** asked: only a question, such as isVisible(); `note` is the answer. */
      found: z.enum(["yes", "no", "asked"]),
      note: z.string(),
      /** What is like it on the page, best first. */
      candidates: z.array(z.object({ locator: z.string(), likeness: z.number() })).optional(),
      /** Absolute path. */
      picture: z.string().optional(),
    }),
  ),
  verbs: z.array(z.object({ verb: z.string(), failure: z.string(), picture: z.string().optional() })),
  /** What can't be true: a copy of an episode that nobody published. */
  remarks: z.array(z.string()),
  /** Publish requests that were about to leave, and did not. */
  stopped: z.number(),
});
export type RehearsalReport = z.infer<typeof rehearsalReport>;
