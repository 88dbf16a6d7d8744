// The keys of the Place tab: tools and acts by a single key; undo, redo and save with Ctrl.

const KEYS = [
  ["v", "select", "choose and drag shapes"], ["r", "rect", "draw a rectangle"], ["c", "circle", "draw a circle"],
  ["g", "polygon", "draw a polygon"], ["m", "mirror", "mirror the chosen ROI about the midline"],
  ["d", "copy", "copy the chosen ROI"], ["Delete", "delete", "delete the chosen ROI"],
  ["b", "blink", "blink between today's and the first day's picture"],
];

// Lets keys do what stands on the tab `place`, where it can be pressed.
export function listenToKeys(place) {
  for (const [key, id, text] of KEYS) {
    place.page.shortcut(place.root, key, text, () => {
      const button = place.at(id);
      if (place.rests || !button.checkVisibility() || button.disabled) return false;
      button.click();
      return true;
    });
  }
  document.addEventListener("keydown", (event) => withControl(place, event));
}

function withControl(place, event) {
  if (place.rests || place.root.hidden || !place.draft?.mouse.kind || document.querySelector("dialog[open]")) return;
  if (!event.ctrlKey && !event.metaKey) return;
  const key = event.key.toLowerCase();
  // In a text field the browser's own way back holds.
  const writes = event.target.matches("input:not([type=checkbox], [type=range]), textarea");
  if ("zy".includes(key) && !writes) place.step(key === "y" || event.shiftKey ? "redo" : "undo");
  else if (key === "s") {
    // What was typed is taken as it is once the field is left.
    if (writes) event.target.blur();
    place.saving.open();
  } else return;
  event.preventDefault();
}
