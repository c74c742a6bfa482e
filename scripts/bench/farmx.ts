import v8 from "node:v8"; if (process.env["WB"]) v8.setFlagsFromString("--wasm-tiering-budget=" + process.env["WB"]);
await import("./farm.ts");
