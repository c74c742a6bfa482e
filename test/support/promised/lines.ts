/**
 * A line of the table of what is promised and which test shows it: names of routes ("*": all of them), the fields it is about,
 * what is promised, and tests, each as "file: how its name goes on behind the tags".
 *
 * Fields stand behind what they are of: a body's first, a query's behind "?", an answer's behind "→", codes of refusals behind "!".
 * "target=10" has a default. "data." in front of what a list or a read answers is left out; "group.*" is all that is in it.
 */
export type Line = readonly [routes: string, fields: string, says: string, ...tests: [string, ...string[]]];

/** Lines under the tag that their tests carry. A test of all routes may show any line. */
export type Coverage<Tag extends string> = { readonly [Key in Tag]: readonly Line[] };
