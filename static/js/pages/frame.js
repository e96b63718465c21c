/**
 * The site's frame on every page: menus close when one looks elsewhere, a signed-out browser forgets its patient, and
 * pages are as light as the room.
 */
import { Bell } from "../core/bell.js";
import { forgetCurrentPatient, rememberSigningOut } from "../core/current_patient.js";

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.site-user[open]")) {
    if (event.type === "keydown" ? event.key === "Escape" : !menu.contains(event.target)) menu.open = false;
  }
}

/** Of this browser, not of a person: a workstation stands where it stands. @param {""|"light"|"dark"} room */
function setRoom(room) {
  document.cookie = `room=${room}; path=/; samesite=lax; max-age=${room ? 365 * 24 * 3600 : 0}`;
  for (const name of ["light", "dark"]) document.documentElement.classList.toggle(`room-${name}`, name === room);
}

document.addEventListener("pointerdown", closeMenus);
document.addEventListener("keydown", closeMenus);
document.addEventListener("submit", ({ target }) => target.matches("form[action$='/logout/']") && rememberSigningOut());
document.addEventListener("change", ({ target }) => target.matches("[data-room]") && setRoom(target.value));
const bell = document.getElementById("bell");
if (bell) new Bell(bell).connect();
if (!document.body.dataset.signedIn) forgetCurrentPatient();
