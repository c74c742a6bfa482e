import { call } from "./api.js";

const problem = document.querySelector(".import [role=alert]");

for (const button of document.querySelectorAll("[data-confirm]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      await call("POST", button.dataset.confirm, {});
      location.reload();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      button.disabled = false;
    }
  });
}
