import { call, mount, upload } from "../../twin/assets/twin.js";

mount();

const at = (id) => document.getElementById(id);
const { show } = at("editor").dataset;
const files = { audio: "", cover: "" };
const quill = new Quill("#about", { theme: "snow" });

at("audio").addEventListener("change", async () => {
  const area = document.querySelector(".so-audio-uploader__area");
  area.textContent = "上傳中";
  files.audio = await upload(at("audio").files[0], (percent) => (area.textContent = percent < 100 ? `上傳中 ${percent}%` : "處理中"));
  area.remove();
});

at("more").addEventListener("click", () => (at("others").hidden = false));
at("choose").addEventListener("click", () => at("cover").click());
at("cover").addEventListener("change", () => (at("crop").hidden = false));
at("crop-no").addEventListener("click", () => (at("crop").hidden = true));
at("crop-yes").addEventListener("click", async () => {
  files.cover = await upload(at("cover").files[0], () => undefined);
  at("crop").hidden = true;
});

async function make(status) {
  try {
    const description = quill.getSemanticHTML().replaceAll("&nbsp;", " ");
    const { data } = await call("POST", `/v2/podcasts/${show}/episodes`, { title: at("title").value, description, ...files, status });
    at("said").textContent = status === "published" ? "發布成功" : "儲存成功";
    location.href = `/app/podcasts/${show}/episodes/${data.id}`;
  } catch (error) {
    at("said").textContent = `發布失敗：${error.message}`;
  }
}

at("keep").addEventListener("click", () => make("draft"));
at("publish").addEventListener("click", () => (at("sure").hidden = false));
at("no").addEventListener("click", () => (at("sure").hidden = true));
// Open until the next page is there: whoever presses again publishes again.
at("yes").addEventListener("click", () => make("published"));
