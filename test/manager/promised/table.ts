import type { Coverage } from "../../support/promised/lines.ts";
import type { PromiseBook } from "../../support/promised/page.ts";
import { contentReadings } from "../content/content-readings.ts";
import { backlinkReadings, commonReadings, readings } from "../readings.ts";
import { accountCoverage } from "./accounts.ts";
import { commonCoverage } from "./common.ts";
import { contentCoverage } from "./content.ts";
import { requestCoverage } from "./requests.ts";
import { workerCoverage } from "./worker.ts";

const backlinkCoverage: Coverage<keyof typeof backlinkReadings> = { ...accountCoverage, ...requestCoverage };

/** Everything that the manager promises, by API. */
export const managerPromises: PromiseBook = {
  folder: new URL("../", import.meta.url),
  about: "Every parameter, default, field, status and refusal of the manager's APIs.",
  tables: [
    { title: "Podcast worker API", folder: "", readings, coverage: workerCoverage },
    { title: "Backlink API", folder: "", readings: backlinkReadings, coverage: backlinkCoverage },
    { title: "Content API", folder: "content/", readings: contentReadings, coverage: contentCoverage },
    { title: "All routes", folder: "", readings: commonReadings, coverage: commonCoverage },
  ],
};
