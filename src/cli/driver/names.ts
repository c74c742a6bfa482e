import { relative } from "node:path";

/** How the user called us, for commands that are printed to be copied. */
export function podcrewCommand(): string {
  return process.env["npm_lifecycle_event"] === "podcrew" ? "npm run podcrew --" : "podcrew";
}

/** A path as a person at this place would write it. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === "" ? "." : near.startsWith("..") ? path : near;
}
