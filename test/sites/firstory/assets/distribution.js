import { mount } from "../../twin/assets/twin.js";

mount();
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(new URL(button.dataset.copy, location.href).href);
    button.nextElementSibling.textContent = "已複製";
  });
}
