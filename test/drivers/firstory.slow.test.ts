import driver from "../../drivers/firstory.ts";
import { driverBench } from "../../src/driver/index.ts";
import { openFirstoryTarget } from "../sites/firstory/target.ts";

driverBench(driver, { target: openFirstoryTarget, locale: "zh-TW" });
