import { mount } from "../../twin/assets/twin.js";
import { operate } from "./api.js";

mount();

const nothing = { published: "目前沒有單集", draft: "目前沒有草稿" };

async function fill(panel) {
  const { show } = panel.dataset;
  panel.textContent = "載入中";
  const { episodes } = await operate("episodes", { show, state: panel.id });
  const rows = episodes.map(({ id, title }) => {
    const row = document.createElement("li");
    const link = document.createElement("a");
    link.href = `/dashboard/${show}/episodes/${id}`;
    link.textContent = title;
    row.append(link);
    if (panel.id === "published") {
      const story = document.createElement("a");
      story.href = `/story/${id}`;
      story.textContent = "單集頁面";
      row.append(" ", story);
    }
    return row;
  });
  const list = document.createElement("ul");
  list.append(...rows);
  panel.replaceChildren(rows.length > 0 ? list : nothing[panel.id]);
}

for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.addEventListener("click", async () => {
    for (const other of document.querySelectorAll("[role=tab]")) {
      other.setAttribute("aria-selected", String(other === tab));
      document.getElementById(other.getAttribute("aria-controls")).hidden = other !== tab;
    }
    await fill(document.getElementById(tab.getAttribute("aria-controls")));
  });
}
await fill(document.getElementById("published"));
