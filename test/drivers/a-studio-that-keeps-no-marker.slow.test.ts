import { driverBench } from "../../src/driver/index.ts";
import unmarked from "../support/studio-drivers/studio-list-unmarked.ts";
import blind from "../support/studio-drivers/studio-blind.ts";
import { openStudioTarget } from "../support/studio-drivers/target.ts";

driverBench(unmarked, { target: async () => openStudioTarget({ tier: "list", marker: false }) });
driverBench(blind, { target: async () => openStudioTarget({ tier: "blind" }) });
