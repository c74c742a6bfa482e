import type { ApiRoute } from "../../../src/contract/api-route.ts";
import { taskRoutes } from "../../../src/contract/task-api.ts";
import { taskErrors } from "../../../src/coordinator/local/errors.ts";
import { holdPromises } from "../../support/promised/hold.ts";
import { taskPromises } from "./promised/table.ts";

holdPromises({
  book: taskPromises,
  routes: Object.entries<ApiRoute<string>>(taskRoutes).map(([name, route]) => ({ ...route, name })),
  common: {},
  rows: { T: 10 },
  fieldRows: [],
  codes: Object.keys(taskErrors),
  unpromised: ["50001"],
});
