import { call, mount, upload } from "../../twin/assets/twin.js";

mount();

const editor = document.querySelector(".editor");
const said = document.querySelector("#said");
const files = { audio: editor.dataset.audio, cover: editor.dataset.cover };
let id = editor.dataset.id;

/** What the site says, in its own words; a refusal is an alert. */
function say(text, role = "status") {
  said.setAttribute("role", role);
  said.textContent = text;
}

for (const [name, done] of [
  ["audio", "Audio uploaded"],
  ["cover", "Image uploaded"],
]) {
  document.querySelector(`#${name}`).addEventListener("change", ({ target }) => void take(name, target.files[0], done));
}

async function take(name, file, done) {
  const state = document.querySelector(`#${name}-state`);
  state.textContent = "Uploading…";
  files[name] = await upload(file, (percent) => (state.textContent = `Uploading ${percent} %`));
  state.textContent = done;
}

async function save() {
  const about = document.querySelector("#about").innerHTML;
  const draft = await call("POST", "/api/drafts", { id, title: document.querySelector("#title").value, about, ...files });
  id = draft.id;
  history.replaceState(null, "", `/episode/edit/${id}`);
}

async function publish() {
  const answer = await fetch(`/episodes/${id}`, { method: "POST", body: new URLSearchParams({ status: "publish" }) });
  const { link, message } = await answer.json();
  if (!answer.ok) return say(message, "alert");
  said.innerHTML = `Published. <a href="${link}">View episode</a>`;
}

async function remove() {
  await call("POST", `/api/drafts/${id}/delete`, {});
  location.assign("/episode/drafts");
}

const dialog = document.querySelector("#sure");
document.querySelector("#save").addEventListener("click", () => {
  save().then(
    () => say("Draft saved"),
    (error) => say(error.message, "alert"),
  );
});
document.querySelector("#publish").addEventListener("click", () => void publish());
document.querySelector("#delete").addEventListener("click", () => (dialog.hidden = false));
dialog.querySelector("button").addEventListener("click", () => void remove());
