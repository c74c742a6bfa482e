import { mount, upload } from "../../twin/assets/twin.js";
import { operate } from "./api.js";

mount();

const at = (id) => document.getElementById(id);
const form = at("editor");
const { show } = form.dataset;
const files = { audio: form.dataset.audio, cover: "" };
let busy = 0;

const quill = new Quill("#about", { theme: "snow" });

/** Without a title and a whole file nothing can be kept. */
function refresh() {
  const complete = at("title").value.trim() !== "" && files.audio !== "" && busy === 0;
  for (const id of ["save", "next"]) if (at(id)) at(id).disabled = !complete;
}

for (const kind of ["audio", "cover"]) {
  at(kind).addEventListener("change", async () => {
    const [file] = at(kind).files;
    if (!file) return;
    busy += 1;
    refresh();
    const state = at(`${kind}-state`);
    const bar = document.createElement("progress");
    state.after(bar);
    files[kind] = await upload(file, (percent) => (state.textContent = percent < 100 ? `上傳中 ${percent}%` : "處理中"));
    bar.remove();
    state.textContent = "上傳完成";
    if (kind === "cover") {
      const image = new Image(80, 80);
      image.src = URL.createObjectURL(file);
      state.append(image);
    }
    busy -= 1;
    refresh();
  });
}
at("title").addEventListener("input", refresh);
refresh();

async function keep() {
  const { id } = await operate("saveDraft", {
    show,
    id: form.dataset.id || undefined,
    title: at("title").value,
    about: quill.getSemanticHTML().replaceAll("&nbsp;", " "),
    ...files,
  });
  form.dataset.id = id;
}

at("save").addEventListener("click", async () => {
  await keep();
  at("said").textContent = "草稿已儲存";
});
at("next")?.addEventListener("click", async () => {
  await keep();
  at("details").hidden = true;
  at("review").hidden = false;
});
at("publish").addEventListener("click", async () => {
  try {
    await operate("publishEpisode", { id: form.dataset.id });
    location.href = `/dashboard/${show}/episodes`;
  } catch (error) {
    at("said").textContent = `發佈失敗：${error.message}`;
  }
});
at("remove")?.addEventListener("click", () => (at("sure").hidden = false));
at("no").addEventListener("click", () => (at("sure").hidden = true));
at("yes").addEventListener("click", async () => {
  await operate("deleteDraft", { id: form.dataset.id });
  location.href = `/dashboard/${show}/episodes`;
});
