import type { PromiseBook } from "../../../support/promised/page.ts";
import { taskReadings } from "../readings.ts";
import { taskCoverage } from "./tasks.ts";

/** Everything that the Task API promises. */
export const taskPromises: PromiseBook = {
  folder: new URL("../", import.meta.url),
  about: "Every parameter, default, field and refusal of the Task API.",
  tables: [{ title: "Task API", folder: "", readings: taskReadings, coverage: taskCoverage }],
};
