// Elements and texts that several tabs make.

// Returns an element. `more`: its properties (className, id, textContent ...), `data` for its data attributes.
export function element(tag, more = {}, ...children) {
  const { data = {}, aria = {}, ...properties } = more;
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, data);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, value);
  made.append(...children);
  return made;
}

// Returns seconds as minutes and seconds, 3:07.
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Returns an amount of water, µl, to a tenth.
export function microlitres(ul) {
  return `${+ul.toFixed(1)}`;
}

// Takes the focus from what is about to be disabled or taken away, to where the page begins.
export function leave(root) {
  if (root.contains(document.activeElement)) document.getElementById("main").focus({ preventScroll: true });
}

// Tells whether a key is meant for what has the focus (a field in which one writes or chooses), not for the page.
export function typing({ target, ctrlKey, metaKey, altKey }) {
  return ctrlKey || metaKey || altKey || target.matches?.("input:not([type=radio], [type=checkbox]), select, textarea");
}

// Returns who sits here for what must not wait for a name, such as a stop.
export function whoever() {
  return document.getElementById("who").value.trim() || "unnamed";
}
