import { once } from "node:events";
import { createServer } from "node:http";
import type { TestContext } from "node:test";

type Verdict = "pass" | "cut" | "busy";

/** What stands between a command and its manager: it may cut a call off, say that nobody is there, or be gone itself. */
export async function givenGateway(t: TestContext, managerUrl: string) {
  let judge: (path: string) => Verdict = () => "pass";
  const server = createServer((request, response) => {
    const { url: path = "", method = "GET" } = request;
    const verdict = judge(path);
    if (verdict === "cut") return void request.socket.destroy();
    if (verdict === "busy") return void response.writeHead(503, { connection: "close" }).end();
    let body = "";
    request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      const { authorization = "", "content-type": type = "application/json" } = request.headers;
      void fetch(managerUrl + path, { method, headers: { authorization, "content-type": type }, ...(body && { body }) }).then(
        async (answer) => {
          response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "", connection: "close" });
          response.end(await answer.text());
        },
      );
    });
    return undefined;
  });
  const open = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  };
  const port = await open(0);
  t.after(() => server.close());
  return {
    url: `http://127.0.0.1:${port}`,
    /** From now on. */
    judge: (how: typeof judge): void => void (judge = how),
    shut: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    open: async () => open(port),
  };
}
