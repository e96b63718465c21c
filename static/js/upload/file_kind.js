/**
 * What is plainly no image is told by its first bytes, so that the viewer program of a CD is not sent.
 */

const PREAMBLE = 128;
const KINDS = [
  ["MZ", "A program, no image."],
  ["\x7fELF", "A program, no image."],
  ["\xca\xfe\xba\xbe", "A program, no image."],
  ["%PDF", "A PDF document, no DICOM file."],
  ["\x89PNG", "A PNG picture, no DICOM file."],
  ["\xff\xd8\xff", "A JPEG picture, no DICOM file."],
  ["GIF8", "A GIF picture, no DICOM file."],
  ["\x00\x05\x16\x07", "A side file of macOS, no image."],
];

/**
 * Words for a file that is no image; an empty text where the portal should look itself.
 * @param {File} file
 * @returns {Promise<string>}
 */
export async function notAnImage(file) {
  if (!file.size) return "It is empty.";
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, PREAMBLE + 4).arrayBuffer()));
  // A preamble may begin like anything; DICM behind it decides.
  if (head.slice(PREAMBLE) === "DICM") return "";
  return KINDS.find(([start]) => head.startsWith(start))?.[1] ?? "";
}
