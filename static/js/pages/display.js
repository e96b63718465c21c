/**
 * The test pattern at one pixel on one device pixel, whatever the browser's zoom.
 */
const figure = document.querySelector("#display-pattern");
const image = figure.querySelector("img");
const words = document.querySelector("#display-scale");
const size = Number(figure.dataset.size);

function fit() {
  const ratio = window.devicePixelRatio || 1;
  image.width = size / ratio;
  image.height = size / ratio;
  image.style.width = `${size / ratio}px`;
  image.style.height = `${size / ratio}px`;
  words.textContent = `One pixel of the pattern is one pixel of the display; the browser counts ${ratio} for one of its own.`;
  matchMedia(`(resolution: ${ratio}dppx)`).addEventListener("change", fit, { once: true });
}

document.querySelector("#display-full").addEventListener("click", () => figure.requestFullscreen());
fit();
