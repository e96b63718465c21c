/**
 * Finds the files of a drop, folders with everything in them, or of a file field. Links and names lead nowhere else.
 */

/** A file and how the person knows it. @typedef {{file: File, name: string}} FoundFile */

/** Files of an input, of a folder with their place in it. @param {HTMLInputElement} input @returns {FoundFile[]} */
export function filesOfInput(input) {
  return [...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<FileSystemEntry[]>} */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const found = [];
  // A browser gives a folder's entries in parts of about a hundred, and an empty part at the end.
  for (;;) {
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return found;
    found.push(...part);
  }
}

/** @param {FileSystemEntry} entry @param {FoundFile[]} found */
async function walk(entry, found) {
  if (entry.isDirectory) {
    const entries = await entriesOf(entry);
    entries.sort((one, other) => (one.name < other.name ? -1 : 1));
    for (const inside of entries) await walk(inside, found);
  } else if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, name: entry.fullPath.replace(/^\//, "") });
  }
}

/**
 * Files of a drop. What the browser can be asked for is asked for before the first wait: afterwards it is gone.
 * @param {DataTransfer} transfer
 * @returns {Promise<FoundFile[]>}
 */
export async function filesOfDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, name: file.name }));
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}
