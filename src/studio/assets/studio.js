import { call, csrf } from "./api.js";

const WHATS_NEW_DELAY_MS = 300;

for (const link of document.querySelectorAll("[data-sign-out]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    await call("POST", "/logout").catch(() => undefined);
    location.assign("/login");
  });
}

for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const input = document.getElementById(button.dataset.copy);
    input.select();
    // Where the clipboard is closed (plain HTTP), the old way works.
    await navigator.clipboard?.writeText(input.value).catch(() => undefined);
    if (!navigator.clipboard) document.execCommand("copy");
    document.querySelector("[data-copy-status]").textContent = button.dataset.copied;
  });
}

const news = document.getElementById("whats-new");
if (news?.dataset.at) {
  const open = ({ target }) => {
    if (!target?.matches(news.dataset.at)) return;
    document.removeEventListener("focusin", open);
    news.showModal();
  };
  document.addEventListener("focusin", open);
  // A field with autofocus has it before this runs.
  open({ target: document.activeElement });
  news.querySelector("[data-got-it]").addEventListener("click", () => news.close());
}
// The tab remembers, too: the call may still be under way when the next page is asked for. The proof names the session.
if (news && !news.dataset.at && sessionStorage.getItem("news-seen") !== csrf) {
  // Within the click itself: the dialog's own event comes later, and the reader may be on another page by then.
  const seen = () => {
    sessionStorage.setItem("news-seen", csrf);
    call("POST", "/whats-new/seen").catch(() => undefined);
  };
  setTimeout(() => news.showModal(), WHATS_NEW_DELAY_MS);
  news.addEventListener("cancel", seen);
  news.querySelector("[data-got-it]").addEventListener("click", () => {
    seen();
    news.close();
  });
}
