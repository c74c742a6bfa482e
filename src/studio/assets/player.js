const SPEEDS = [1, 1.25, 1.5, 1.75, 2, 0.75];

const clock = (seconds) => {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
};

for (const player of document.querySelectorAll("[data-player]")) {
  const audio = player.querySelector("audio");
  const ui = player.querySelector(".player-ui");
  const play = player.querySelector("[data-play]");
  const seek = player.querySelector("[data-seek]");
  const now = player.querySelector("[data-now]");
  const speed = player.querySelector("[data-speed]");
  audio.controls = false;
  ui.hidden = false;

  const paint = () => {
    seek.value = String(audio.currentTime);
    seek.style.setProperty("--played", `${(audio.currentTime / Number(seek.max)) * 100}%`);
    seek.setAttribute("aria-valuetext", clock(audio.currentTime));
    now.textContent = clock(audio.currentTime);
  };
  const paintState = () => {
    player.classList.toggle("playing", !audio.paused);
    play.setAttribute("aria-label", audio.paused ? play.dataset.labelPlay : play.dataset.labelPause);
  };
  const setSpeed = (rate) => {
    audio.playbackRate = rate;
    speed.textContent = `${rate}×`;
    localStorage.setItem("speed", String(rate));
  };

  play.addEventListener("click", () => (audio.paused ? audio.play() : audio.pause()));
  seek.addEventListener("input", () => ((audio.currentTime = Number(seek.value)), paint()));
  for (const jump of player.querySelectorAll("[data-jump]")) {
    jump.addEventListener(
      "click",
      () => (audio.currentTime = Math.max(0, Math.min(audio.duration || 0, audio.currentTime + Number(jump.dataset.jump)))),
    );
  }
  speed.addEventListener("click", () => setSpeed(SPEEDS[(SPEEDS.indexOf(audio.playbackRate) + 1) % SPEEDS.length]));
  audio.addEventListener("loadedmetadata", () => Number.isFinite(audio.duration) && (seek.max = String(audio.duration)));
  audio.addEventListener("timeupdate", paint);
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, paintState);
  setSpeed(SPEEDS.find((rate) => String(rate) === localStorage.getItem("speed")) ?? 1);
}
