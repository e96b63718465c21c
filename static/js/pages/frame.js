/**
 * The site's frame on every page: menus close when one looks elsewhere, and a signed-out browser forgets its patient.
 */
import { forgetCurrentPatient } from "../core/current_patient.js";

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.site-user[open]")) {
    if (event.type === "keydown" ? event.key === "Escape" : !menu.contains(event.target)) menu.open = false;
  }
}

document.addEventListener("pointerdown", closeMenus);
document.addEventListener("keydown", closeMenus);
if (!document.body.dataset.signedIn) forgetCurrentPatient();
