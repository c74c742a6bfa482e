import driver from "../../drivers/soundon.ts";
import { driverBench } from "../../src/driver/index.ts";
import { openSoundOnTarget } from "../sites/soundon/target.ts";

driverBench(driver, { target: openSoundOnTarget, locale: "zh-TW" });
