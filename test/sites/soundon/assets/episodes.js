import { call, mount } from "../../twin/assets/twin.js";

mount();

const at = (id) => document.getElementById(id);
const { show } = document.querySelector(".ant-table").dataset;
at("new").addEventListener("click", () => (location.href = `/app/podcasts/${show}/episodes/new`));

const { data } = await call("GET", `/v2/podcasts/${show}/episodes`);
const rows = data.map(({ id, title, state }) => {
  const row = document.createElement("tr");
  const link = document.createElement("a");
  link.href = `/app/podcasts/${show}/episodes/${id}`;
  link.textContent = title;
  row.insertCell().append(link);
  row.insertCell().textContent = state === "published" ? "已發布" : "草稿";
  return row;
});
if (rows.length > 0) at("rows").replaceChildren(...rows);
at("spinner").remove();
