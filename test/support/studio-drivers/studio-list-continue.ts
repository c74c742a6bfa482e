import { defineDriver } from "../../../src/driver/index.ts";
import list from "./studio-list.ts";

/** Lets the browser send the publish request itself: with it, what Chromium does on its own when a connection breaks. */
export default defineDriver({ ...list, site: "studio-list-continue", publishRequest: { ...list.publishRequest, via: "continue" } });
