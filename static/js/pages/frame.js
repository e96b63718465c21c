/**
 * The site's frame on every page: menus close when one looks elsewhere, and a signed-out browser forgets its patient.
 */
import { Bell } from "../core/bell.js";
import { forgetCurrentPatient, rememberSigningOut } from "../core/current_patient.js";

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.site-user[open]")) {
    if (event.type === "keydown" ? event.key === "Escape" : !menu.contains(event.target)) menu.open = false;
  }
}

document.addEventListener("pointerdown", closeMenus);
document.addEventListener("keydown", closeMenus);
document.addEventListener("submit", ({ target }) => target.matches("form[action$='/logout/']") && rememberSigningOut());
const bell = document.getElementById("bell");
if (bell) new Bell(bell).connect();
if (!document.body.dataset.signedIn) forgetCurrentPatient();
