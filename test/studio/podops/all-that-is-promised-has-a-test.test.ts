import { podopsRoutes, type PodopsRoute } from "../../../src/contract/podops-api.ts";
import { studioBook } from "../../../src/studio/api/book.ts";
import { holdPromises } from "../../support/promised/hold.ts";
import { podopsPromises } from "./promised/table.ts";
import { podopsReadings } from "./readings.ts";

const { "every route": everyRoute, described } = podopsReadings;

holdPromises({
  book: podopsPromises,
  routes: Object.entries<PodopsRoute>(podopsRoutes).map(([name, route]) => ({ ...route, name })),
  common: { "every route": everyRoute, described },
  rows: { P: 16 },
  fieldRows: ["P14", "P15", "P16"],
  // It has statuses where other APIs have codes.
  codes: studioBook.refusals.rows.map(({ status }) => String(status)),
});
