import { pathToFileURL } from "node:url";
import { driverBench, targetFromEnvironment, type Driver } from "../../driver/index.ts";

/** The bench for a driver without a test of its own, in a process of its own: `DRIVER_FILE` names it. */
const { default: driver } = (await import(pathToFileURL(process.env["DRIVER_FILE"] ?? "").href)) as { default: Driver };
driverBench(driver, { target: targetFromEnvironment });
