import { driverBench } from "../../src/driver/index.ts";
import driver from "../support/studio-drivers/studio-list.ts";
import { openStudioTarget } from "../support/studio-drivers/target.ts";

driverBench(driver, { target: async () => openStudioTarget({ tier: "list" }) });
