// Single keys that do something, and the list of them that `?` shows. None acts while somebody writes, or in a dialog.

const WRITES = "input:not([type=checkbox], [type=radio], [type=button], [type=range]), select, textarea";

export class Keys {
  // `help`: the dialog that lists them.
  constructor(help) {
    this.help = help;
    this.all = [];
    document.addEventListener("keydown", (event) => this.press(event));
    this.add(null, "?", "list the keys", () => this.show());
  }

  // Lets `key` do something while `section` is shown; null: always. What returns false leaves the key to others.
  add(section, key, text, does) {
    this.all.push({ section, key, text, does });
  }

  press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest?.(WRITES) || document.querySelector("dialog[open]")) return;
    const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    for (const { section, key, does } of this.all) {
      if (key !== pressed || section?.hidden) continue;
      // A key that is held down gives one drop, not thirty.
      if (!event.repeat && does() === false) continue;
      event.preventDefault();
      return;
    }
  }

  show() {
    const groups = new Map();
    for (const { section, key, text } of this.all) {
      const tab = section && document.getElementById(section.getAttribute("aria-labelledby"));
      // Who looks on has fewer tabs.
      if (tab && getComputedStyle(tab).display === "none") continue;
      const title = tab ? tab.textContent : "Everywhere";
      if (!groups.has(title)) groups.set(title, []);
      groups.get(title).push([key, text]);
    }
    this.help.querySelector("div").replaceChildren(...[...groups].map(([title, keys]) => table(title, keys)));
    this.help.showModal();
    this.help.scrollTop = 0;
  }
}

function table(title, keys) {
  const made = document.createElement("table");
  made.createCaption().textContent = title;
  for (const [key, text] of keys) {
    const row = made.insertRow();
    const name = document.createElement("kbd");
    name.textContent = key.length === 1 ? key.toUpperCase() : key;
    row.insertCell().append(name);
    row.insertCell().textContent = text;
  }
  return made;
}
