import driver from "../../../../drivers/wordpress.ts";
import { driverBench } from "../../../../src/driver/index.ts";
import { openWordPressTarget } from "./target.ts";

driverBench(driver, { target: openWordPressTarget });
