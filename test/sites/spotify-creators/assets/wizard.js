import { call, mount, upload } from "../../twin/assets/twin.js";

mount();

const at = (id) => document.getElementById(id);
const wizard = at("wizard");
const { show } = wizard.dataset;
let { id, audio } = wizard.dataset;
let image = "";
let busy = 0;

/** What the editor holds; what others do to its page it undoes. */
let about = at("description").innerHTML;

function refresh() {
  at("next").disabled = !(audio && at("title-input").value.trim() && at("description").textContent.trim()) || busy > 0;
}

function put(html) {
  about = html;
  at("description").innerHTML = about;
  refresh();
}

at("description").addEventListener("paste", (event) => {
  event.preventDefault();
  const html = event.clipboardData.getData("text/html");
  const plain = document.createElement("p");
  plain.textContent = event.clipboardData.getData("text/plain");
  const added = html || plain.outerHTML;
  const bare = (text) => text.replaceAll(/\s+/g, "");
  put(bare(getSelection().toString()) === bare(at("description").textContent) ? added : about + added);
});
at("description").addEventListener("input", () => put(about));
at("title-input").addEventListener("input", refresh);

at("audio").addEventListener("change", async () => {
  const [file] = at("audio").files;
  busy += 1;
  refresh();
  at("upload-state").textContent = "Uploading";
  // Before anything has a name: whoever leaves now leaves an "Untitled" behind.
  if (!id) id = (await call("POST", `/v3/stations/${show}/episodes`, { hourOffset: 0 })).episodeId;
  const uploaded = await upload(
    file,
    (percent) => (at("upload-state").textContent = percent < 100 ? `Uploading ${percent}%` : "Processing"),
  );
  await call("POST", `/v3/upload/${uploaded}/process_upload`, { episodeId: id });
  audio = "yes";
  at("upload-state").textContent = "Preview ready!";
  busy -= 1;
  refresh();
});
at("art").addEventListener("change", () => (at("crop").hidden = false));
at("crop-save").addEventListener("click", async () => {
  image = await upload(at("art").files[0], () => undefined);
  at("crop").hidden = true;
});

function update(isPublished) {
  return call("POST", `/v3/episodes/${id}/update`, {
    title: at("title-input").value,
    description: about,
    episodeType: "full",
    isPublished,
    image,
  });
}

at("next").addEventListener("click", () => {
  at("details").hidden = true;
  at("next").hidden = true;
  at("review").hidden = false;
  at("publish").hidden = false;
});
at("publish-date-now").addEventListener("change", () => (at("publish").disabled = false));
at("publish").addEventListener("click", async () => {
  try {
    await update(true);
    at("done").hidden = false;
  } catch (error) {
    at("said").textContent = `We couldn't publish your episode. ${error.message}`;
  }
});
const leave = () => (location.href = `/pod/show/${show}/episodes`);
at("finish").addEventListener("click", leave);
at("close").addEventListener("click", () => (id ? (at("leave").hidden = false) : leave()));
at("throw").addEventListener("click", leave);
at("save").addEventListener("click", async () => {
  await update(false);
  leave();
});
refresh();
