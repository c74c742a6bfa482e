import { call, upload } from "./api.js";

const box = document.getElementById("show-cover");
const input = box.querySelector("input");
const progress = box.querySelector("progress");
const status = box.querySelector('[role="status"]');

input.addEventListener("change", async () => {
  const [file] = input.files;
  if (!file) return;
  progress.hidden = false;
  status.className = "small";
  status.setAttribute("role", "status");
  status.textContent = box.dataset.uploading;
  try {
    const asset = await upload(`/shows/${box.dataset.show}/assets`, "cover", file, (percent) => (progress.value = percent));
    await call("PUT", `/shows/${box.dataset.show}/cover`, { cover: asset.guid });
    box.querySelector(".thumb").src = asset.thumb;
    status.textContent = box.dataset.ready;
  } catch (error) {
    status.className = "alert";
    status.setAttribute("role", "alert");
    status.textContent = error.message && error.name === "StudioError" ? error.message : box.dataset.failed;
  } finally {
    progress.hidden = true;
    input.value = "";
  }
});
