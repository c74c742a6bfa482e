const title = document.querySelector('[data-slugify="title"]');
const slug = document.querySelector('[data-slugify="slug"]');
if (slug) {
  slug.readOnly = true;
  slug.addEventListener("focus", () => (slug.readOnly = false));
  slug.addEventListener("focusout", () => (slug.readOnly = true));
  title?.addEventListener("input", () => {
    slug.value = title.value
      .normalize("NFD")
      .replace(/[^\w\s-]/g, "")
      .trim()
      .replace(/\s+/g, "-")
      .toLowerCase();
  });
}

const form = document.querySelector("form[data-submit='validate-message']");
form?.addEventListener("submit", (event) => {
  const warning = form.querySelector("#publish-warning");
  if (form.querySelector("[name=message]").value !== "" || !warning.hidden) return;
  event.preventDefault();
  warning.hidden = false;
  form.querySelector("button[type=submit]").textContent = "Publish anyways";
});
