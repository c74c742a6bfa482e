/** Brings in the page that the server sent folded up; whoever calls it puts its listeners on at once. */
export function mount() {
  document.body.append(document.getElementById("mounted").content);
}

/** Sends a file and waits until the site has processed it; says how far it is. */
export async function upload(file, onProgress) {
  const body = new FormData();
  body.append("file", file);
  const { id } = await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(Math.round((loaded / total) * 100)));
    request.addEventListener("load", () =>
      request.status < 300 ? resolve(JSON.parse(request.responseText)) : reject(new Error(`upload: ${request.status}`)),
    );
    request.addEventListener("error", () => reject(new Error("upload: no answer")));
    request.open("POST", "/api/uploads");
    request.send(body);
  });
  for (;;) {
    const { ready } = await call("GET", `/api/uploads/${id}`);
    if (ready) return id;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** JSON to and fro. @throws Error with the site's own words */
export async function call(method, address, body) {
  const answer = await fetch(address, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.message ?? `${answer.status}`);
  return json;
}
