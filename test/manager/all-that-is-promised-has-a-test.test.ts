import { apiErrors } from "../../src/manager/errors.ts";
import { holdPromises } from "../support/promised/hold.ts";
import { everyRoute } from "./every-route.ts";
import { managerPromises } from "./promised/table.ts";
import { commonReadings } from "./readings.ts";

holdPromises({
  book: managerPromises,
  routes: everyRoute,
  common: commonReadings,
  rows: { W: 10, B: 26, C: 4 },
  fieldRows: ["W2", "W3", "W4", "W10", "C2", "C3", "C4"],
  codes: Object.keys(apiErrors),
  // Nor how bytes are refused that are no request.
  unpromised: ["internal", "malformed_request"],
});
