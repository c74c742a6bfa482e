import { call, mount } from "../../twin/assets/twin.js";

mount();

const at = (id) => document.getElementById(id);
const list = at("rows");
const { show } = list.dataset;
const { search } = location;
let doomed = "";

function row({ id, title, state }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `/pod/show/${show}/episode/${id}/${state === "draft" ? "wizard" : "details"}`;
  link.textContent = title;
  const menu = document.createElement("button");
  menu.type = "button";
  menu.setAttribute("aria-label", `Show options menu for ${title}`);
  menu.textContent = "⋯";
  menu.addEventListener("click", () => {
    const entry = document.createElement("button");
    entry.setAttribute("role", "menuitem");
    entry.textContent = "Delete episode";
    entry.addEventListener("click", () => {
      doomed = id;
      entry.remove();
      at("sure").hidden = false;
    });
    item.append(entry);
  });
  item.append(link, " ", menu);
  return item;
}

async function fill() {
  const { episodes } = await call("GET", `/v3/stations/${show}/episodes${search}`);
  list.replaceChildren(...episodes.map(row));
  if (episodes.length === 0) list.textContent = search.includes("DRAFT") ? "No draft episodes" : "No episodes";
}

at("new").addEventListener("click", () => (location.href = `/pod/show/${show}/episode/wizard`));
at("no").addEventListener("click", () => (at("sure").hidden = true));
at("yes").addEventListener("click", async () => {
  await call("POST", `/v3/episodes/${doomed}/delete`, {});
  at("sure").hidden = true;
  await fill();
});
await fill();
