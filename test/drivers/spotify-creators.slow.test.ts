import driver from "../../drivers/spotify-creators.ts";
import { driverBench } from "../../src/driver/index.ts";
import { openSpotifyCreatorsTarget } from "../sites/spotify-creators/target.ts";

driverBench(driver, { target: openSpotifyCreatorsTarget });
