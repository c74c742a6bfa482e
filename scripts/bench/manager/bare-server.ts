import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What Node's own server does at most: a constant of as many bytes (the argument) to every call. Says its port; ends with who started it. */
const body = Buffer.alloc(Number(process.argv[2]), "x");
const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": body.length });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit());
