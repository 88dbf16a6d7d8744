// Puts the page together: signing in, tabs, which session is shown, who you are, dark or light.

import { Back } from "./back.js";
import { Controls } from "./controls.js";
import { Keys } from "./keys.js";
import { Place } from "./place.js";
import { Run } from "./run.js";
import { See } from "./see.js";
import { askState, signedIn, signing } from "./sign.js";
import { Wire } from "./wire.js";

const at = (id) => document.getElementById(id);

// The tabs that this role has, which can be pressed from now on; the address keeps which one is shown. Tells "tab" with
// the id of its section.
function tabs(page) {
  const all = [...document.querySelectorAll("[role=tab]")].filter((tab) => page.may(tab));
  const sectionOf = (tab) => tab.getAttribute("aria-controls");
  const choose = (tab) => {
    for (const each of all) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", chosen);
      each.tabIndex = chosen ? 0 : -1;
      at(sectionOf(each)).hidden = !chosen;
    }
    history.replaceState(null, "", `#${sectionOf(tab)}`);
    document.dispatchEvent(new CustomEvent("tab", { detail: sectionOf(tab) }));
  };
  all.forEach((tab, place) => {
    tab.disabled = false;
    tab.onclick = () => choose(tab);
    tab.onkeydown = ({ key }) => {
      const next = { ArrowRight: place + 1, ArrowLeft: place - 1 + all.length, Home: 0, End: all.length - 1 }[key];
      if (next === undefined) return;
      choose(all[next % all.length]);
      all[next % all.length].focus();
    };
    page.shortcut(null, `${place + 1}`, tab.textContent, () => choose(tab));
  });
  choose(all.find((tab) => location.hash === `#${sectionOf(tab)}`) ?? all[0]);
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = localStorage.getItem("theme");
  if (kept) document.documentElement.dataset.theme = kept;
  const changed = () => document.dispatchEvent(new Event("theme"));
  dark.addEventListener("change", changed);
  at("theme").onclick = () => {
    const { dataset } = document.documentElement;
    const now = dataset.theme ?? (dark.matches ? "dark" : "light");
    dataset.theme = now === "dark" ? "light" : "dark";
    localStorage.setItem("theme", dataset.theme);
    changed();
  };
}

// Which session is shown: the one chosen, or one that has just begun where none is. One that goes on beside it is never
// put in the place of one that ended: what is pressed next would be meant for another mouse.
function sessions(wire, page) {
  const select = at("live");
  let known = new Set();
  wire.addEventListener("live", ({ detail: { live, problem } }) => {
    page.notice("search", problem);
    const names = live.map(({ name }) => name);
    const begun = names.filter((name) => !known.has(name));
    known = new Set(names);
    const next = names.includes(wire.shown) ? wire.shown : begun.at(-1) ?? "";
    const where = (rig) => (live.length > 1 ? `, ${rig}` : "");
    const title = ({ mouse, what, rig }) => `${mouse} (${what}${where(rig)})`;
    select.replaceChildren(...live.map((each) => new Option(title(each), each.name)));
    if (!next) select.prepend(new Option(live.length ? "choose" : "none runs", ""));
    select.disabled = !live.length;
    select.value = next;
    // One that a new server has found is looked at anew.
    if (next && (next !== wire.shown || begun.includes(next))) wire.look(next);
  });
  select.onchange = () => select.value && wire.look(select.value);
}

function connection(wire, page) {
  const show = (state, text) => {
    at("link").dataset.state = state;
    at("link").textContent = text;
  };
  wire.addEventListener("open", () => {
    show("open", "connected");
    page.notice("link", "");
  });
  wire.addEventListener("closed", async () => {
    show("closed", "not connected");
    page.notice("link", "The connection is lost; the page tries again. A session that runs goes on.");
    // A cookie is over after a week, and with the server that gave it.
    const state = await askState().catch(() => null);
    if (state && !state.role) location.reload();
    else if (!state) page.notice("link", "The page's server does not answer: start rigloop serve. A session goes on.");
  });
}

// What every tab is given: who sits here and what they may do, the mouse that is chosen, and the server.
class Page extends EventTarget {
  constructor(state) {
    super();
    this.state = state;
    this.keys = new Keys(at("help"));
    this.notices = new Map();
    this.mouse = localStorage.getItem("mouse") ?? "";
  }

  get role() {
    return this.state.role;
  }

  // Whether this role is shown an element; CSS hides what it is not.
  may(element) {
    return this.role === "operator" || element.dataset.operator === undefined;
  }

  // Returns the name of who sits here; says so and returns "" where none is given.
  who() {
    const name = at("who").value.trim();
    if (!name) {
      this.say("Write your name at the top first: it is recorded with what you do", false);
      at("who").focus();
    }
    return name;
  }

  // Asks the server; `body` makes it a POST. Returns its answer, throws an Error with what it says.
  async api(path, body) {
    const options = body === undefined ? {} : {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    };
    let answer;
    try {
      answer = await fetch(`api/${path}`, options);
    } catch {
      throw new Error("the page's server does not answer; see whether rigloop serve still runs");
    }
    const content = await answer.json().catch(() => ({ error: `the server failed (${answer.status})` }));
    if (answer.ok) return content;
    throw Object.assign(new Error(content.error), { problems: content.problems ?? [], status: answer.status });
  }

  // Says something to who sits here, on whatever tab; `ok` false: it went wrong.
  say(text, ok = true) {
    at("said").textContent = text;
    at("said").dataset.ok = ok;
  }

  // Shows on every tab what is wrong with the page, until told "" for the same `about`.
  notice(about, text) {
    this.notices.set(about, text);
    const all = [...this.notices.values()].filter(Boolean).join(" ");
    at("notice").textContent = all;
    at("notice").hidden = !all;
  }

  // Shows on every tab, unmissable, what is wrong with the rig; "": nothing is.
  alarm(text) {
    if (at("alarm").textContent !== text) at("alarm").textContent = text;
    at("alarm").hidden = !text;
  }

  // Lets a single key do something while `section` is shown (null: always) and nobody writes; `?` lists it.
  shortcut(section, key, text, does) {
    this.keys.add(section, key, text, does);
  }

  choose(mouse) {
    if (mouse === this.mouse) return;
    this.mouse = mouse;
    localStorage.setItem("mouse", mouse);
    this.dispatchEvent(new Event("mouse"));
  }
}

async function begin() {
  theme();
  const who = at("who");
  who.value = localStorage.getItem("who") ?? "";
  who.onchange = () => localStorage.setItem("who", who.value.trim());
  const page = new Page(await signedIn());
  document.documentElement.dataset.role = page.role;
  signing(page.role);
  const url = new URL("ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  const wire = new Wire(url);
  page.controls = new Controls(wire, page);
  new See(at("see"), wire, page);
  new Place(at("place"), wire, page);
  new Run(at("run"), wire, page);
  new Back(at("back"), wire, page);
  tabs(page);
  at("keys").disabled = false;
  at("keys").onclick = () => page.keys.show();
  connection(wire, page);
  sessions(wire, page);
}

begin();
