/**
 * The upload page: wires the place to drop on, the queue, the progress and the list at the end together.
 */
import { announce } from "../core/announcer.js";
import { setText } from "../core/dom.js";
import { filesOfDrop, filesOfInput } from "../upload/file_finder.js";
import { UploadQueue } from "../upload/upload_queue.js";
import { UploadResult } from "../upload/upload_result.js";

const drop = document.getElementById("upload-drop");
const progress = document.getElementById("upload-progress");
const result = new UploadResult(document.getElementById("upload-result"), drop.dataset.outcome);
const queue = new UploadQueue({ address: drop.dataset.address, limit: Number(drop.dataset.limit) });
const part = (name) => progress.querySelector(`[data-${name}]`);

let drawing = false;

function size(bytes) {
  const units = ["KiB", "MiB", "GiB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function draw() {
  drawing = false;
  const { filesDone, filesTotal, bytesSent, bytesTotal, members } = queue;
  const bar = part("bar");
  bar.max = Math.max(1, bytesTotal);
  bar.value = bytesSent;
  if (queue.isRunning) setText(part("title"), filesTotal === 1 ? "Sending one file" : `Sending ${filesTotal} files`);
  setText(part("figures"), `${filesDone} of ${filesTotal} files, ${size(bytesSent)} of ${size(bytesTotal)}`);
  const unpacked = members.total ? `unpacking: ${members.done} of ${members.total} files` : queue.current.join(", ");
  setText(part("current"), unpacked);
  result.showCounts();
}

function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

async function start(files) {
  if (!files.length) {
    announce("There was no file in it.");
    return;
  }
  if (!queue.isRunning && !queue.left) result.clear();
  queue.add(files);
  await run();
}

async function run() {
  progress.hidden = false;
  part("cancel").hidden = false;
  part("again").hidden = true;
  await queue.run();
}

function ended({ detail: { error, cancelled } }) {
  const left = queue.left;
  part("cancel").hidden = true;
  part("again").hidden = !left;
  let title = "All files were sent";
  if (error) title = `${error.message}${left ? ` ${left} files were not sent.` : ""}`;
  else if (cancelled) title = "Cancelled; what was taken stays.";
  draw();
  setText(part("title"), title);
  setText(part("current"), "");
  announce(title);
  result.finish();
}

function dragged(event) {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  drop.classList.toggle("is-over", event.type === "dragover" || event.type === "dragenter");
}

async function dropped(event) {
  dragged(event);
  await start(await filesOfDrop(event.dataTransfer));
}

for (const type of ["dragenter", "dragover", "dragleave"]) document.addEventListener(type, dragged);
document.addEventListener("drop", dropped);
for (const id of ["upload-files", "upload-folder"]) {
  const input = document.getElementById(id);
  input.addEventListener("change", async () => {
    const files = filesOfInput(input);
    // Chosen once more, the same files are a change again.
    input.value = "";
    await start(files);
  });
}
part("cancel").addEventListener("click", () => queue.cancel());
part("again").addEventListener("click", run);
queue.addEventListener("progress", drawSoon);
queue.addEventListener("report", ({ detail }) => result.add(detail));
queue.addEventListener("end", ended);
window.addEventListener("beforeunload", (event) => {
  if (queue.isRunning) event.preventDefault();
});
