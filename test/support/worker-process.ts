import { runToEnd } from "./coordinator.ts";
import type { Assignment, PreparedEpisode } from "../../src/contract/task.ts";

/** One assignment in a process of its own, that may be killed in the middle. */
const { assignment, episode } = JSON.parse(process.argv[2] ?? "") as { assignment: Assignment; episode: PreparedEpisode };
const { result } = await runToEnd(assignment, { episodes: [episode], maxTries: 1 });
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
