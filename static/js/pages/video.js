/**
 * The page of a video: a native player with steps from frame to frame, speed and loop.
 */
import { pageData, setText } from "../core/dom.js";
import { FramePlayer } from "../video/player.js";

const data = pageData("video-data");
const root = document.getElementById("video-player");
const video = root.querySelector("video");
const part = (name) => root.querySelector(`[data-${name}]`);
const problem = document.querySelector("[data-problem]");
const player = new FramePlayer(video, { frames: data.frames, frameMs: data.frame_ms });

function say(text) {
  problem.hidden = false;
  setText(problem, text);
}

function update() {
  part("place").max = String(player.frames);
  part("place").value = String(player.frame);
  setText(part("frame"), `Frame ${player.frame} of ${player.frames} · ${player.frameMs.toFixed(1)} ms each`);
  setText(part("play"), video.paused ? "Play" : "Stop");
  if (player.disagrees) say("The file's time for a frame does not agree with the length of its video: frames are counted by the length.");
}

const KEYS = Object.freeze({
  ArrowLeft: () => player.step(-1),
  ArrowRight: () => player.step(1),
  Home: () => player.goTo(1),
  End: () => player.goTo(player.frames),
  " ": () => player.toggle(),
});

root.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  // Buttons and choices keep their own keys.
  if (!act || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("select, input") || (event.key === " " && event.target.closest("button"))) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}, { capture: true });
for (const button of root.querySelectorAll("[data-step]")) button.addEventListener("click", () => player.step(Number(button.dataset.step)));
part("play").addEventListener("click", () => player.toggle());
part("speed").addEventListener("change", () => {
  video.playbackRate = Number(part("speed").value);
});
part("place").addEventListener("input", () => player.goTo(Number(part("place").value)));
part("loop").addEventListener("change", () => {
  video.loop = part("loop").checked;
});
video.loop = part("loop").checked;
// The browser's own controls would lie on the picture.
video.controls = false;
video.addEventListener("error", () => say(`This browser cannot play ${data.codec}. Open the page in another one, or download the original.`));
for (const name of ["frame", "state"]) player.addEventListener(name, update);
update();
