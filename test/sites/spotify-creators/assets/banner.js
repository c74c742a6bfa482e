const banner = document.createElement("div");
banner.id = "onetrust-banner-sdk";
banner.setAttribute("role", "dialog");
banner.setAttribute("aria-label", "Privacy");
banner.innerHTML = '<p>We value your privacy</p><button id="onetrust-reject-all-handler">Reject All</button>';
banner.querySelector("button").addEventListener("click", () => {
  document.cookie = `OptanonAlertBoxClosed=${new Date().toISOString()}; path=/`;
  banner.remove();
});
document.body.append(banner);
