/** The page's proof that it is ours; the studio refuses changes without it. */
export const csrf = document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "";

/** What the studio said no with: `message` is for the reader. */
export class StudioError extends Error {
  constructor(message, status) {
    super(message);
    this.name = "StudioError";
    this.status = status;
  }
}

/** A session that has ended, or a challenge, leads to its page; everything else is told. */
function refuse(status, answer) {
  if (status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  else if (answer?.challenge) location.assign(`${answer.challenge}?next=${encodeURIComponent(location.pathname)}`);
  return new StudioError(answer?.message ?? "", status);
}

/** One call with a JSON answer. @throws StudioError, or TypeError when the studio did not answer */
export async function call(method, url, body) {
  const headers = { accept: "application/json", "x-csrf-token": csrf };
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw refuse(response.status, answer);
  return answer;
}

/** XMLHttpRequest, because fetch does not tell how much has been sent. */
export function upload(url, kind, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("x-csrf-token", csrf);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(Math.round((event.loaded / event.total) * 100));
    });
    request.addEventListener("load", () =>
      request.status < 300 ? resolve(request.response) : reject(refuse(request.status, request.response)),
    );
    request.addEventListener("error", () => reject(new TypeError("network")));
    request.addEventListener("abort", () => reject(new TypeError("network")));
    const form = new FormData();
    form.append(kind, file, file.name);
    request.send(form);
  });
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
