/**
 * The keys of a person: what they have changed is laid over the table of commands, and kept by the portal.
 */
import { sendJson } from "../../core/requests.js";

/** Keys that are always the browser's, or that cancel. */
export const RESERVED = Object.freeze(new Set(["Escape", "Tab", "Shift+Tab", "F5", "Ctrl+r", "Ctrl+w", "Ctrl+t"]));
/** Commands whose keys stay, so that nobody locks themselves out. */
const FIXED = new Set(["cancel", "menu", "help"]);

export function isRebindable(command) {
  return !FIXED.has(command.id);
}

/** Events: "change". */
export class Shortcuts extends EventTarget {
  #commands;
  #own;
  #chosen;

  /**
   * @param {import("./commands.js").Command[]} commands
   * @param {Record<string, string[]>} chosen keys by id of a command, as the portal keeps them
   */
  constructor(commands, chosen) {
    super();
    this.#commands = commands;
    this.#own = new Map(commands.map(({ id, keys = [] }) => [id, keys]));
    this.#chosen = { ...chosen };
    this.#apply();
  }

  get areChanged() {
    return Object.keys(this.#chosen).length > 0;
  }

  /** A key goes to the command that was given it; another loses it. */
  #apply() {
    const given = new Map(Object.entries(this.#chosen).flatMap(([id, keys]) => keys.map((key) => [key, id])));
    for (const command of this.#commands) {
      const keys = this.#chosen[command.id] ?? this.#own.get(command.id);
      command.keys = keys.filter((key) => (given.get(key) ?? command.id) === command.id);
    }
  }

  /** The command that has a key now. */
  ownerOf(key) {
    return this.#commands.find(({ keys }) => keys.includes(key));
  }

  /** Why a key cannot be given; empty where it can. */
  objection(key) {
    if (RESERVED.has(key)) return "This key belongs to the browser, or cancels.";
    const owner = this.ownerOf(key);
    return owner && !isRebindable(owner) ? `This key stays with “${owner.label}”.` : "";
  }

  /** Gives a command a key instead of those it has. @returns {Promise<void>} rejects where it was not kept */
  give(command, key) {
    const chosen = Object.fromEntries(Object.entries(this.#chosen).map(([id, keys]) => [id, keys.filter((one) => one !== key)]));
    return this.#keep({ ...chosen, [command.id]: [key] });
  }

  /** All keys as they were made. */
  forget() {
    return this.#keep({});
  }

  async #keep(chosen) {
    await sendJson("/api/preferences/shortcuts", { shortcuts: chosen }, { method: "PUT" });
    this.#chosen = chosen;
    this.#apply();
    this.dispatchEvent(new Event("change"));
  }
}
