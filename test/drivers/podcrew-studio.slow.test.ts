import driver from "../../drivers/podcrew-studio.ts";
import { driverBench } from "../../src/driver/index.ts";
import { openStudioTarget } from "../support/studio-drivers/target.ts";

driverBench(driver, { target: openStudioTarget });
