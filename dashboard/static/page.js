// Puts the page together: signing in, tabs, which session is shown, who you are, dark or light.

import { Back } from "./back.js";
import { Controls } from "./controls.js";
import { Place } from "./place.js";
import { Run } from "./run.js";
import { See } from "./see.js";
import { Wire } from "./wire.js";

const at = (id) => document.getElementById(id);

function tabs() {
  const all = [...document.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const each of all) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", chosen);
      each.tabIndex = chosen ? 0 : -1;
      at(each.getAttribute("aria-controls")).hidden = !chosen;
    }
    document.dispatchEvent(new CustomEvent("tab", { detail: tab.getAttribute("aria-controls") }));
  };
  all.forEach((tab, place) => {
    tab.onclick = () => choose(tab);
    tab.onkeydown = ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = all[(place + step + all.length) % all.length];
      choose(next);
      next.focus();
    };
  });
}

function theme() {
  const kept = localStorage.getItem("theme");
  if (kept) document.documentElement.dataset.theme = kept;
  at("theme").onclick = () => {
    const { dataset } = document.documentElement;
    const now = dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    dataset.theme = now === "dark" ? "light" : "dark";
    localStorage.setItem("theme", dataset.theme);
    document.dispatchEvent(new Event("theme"));
  };
}

async function signedIn() {
  const state = await (await fetch("api/state")).json();
  if (state.role) return state;
  const dialog = at("login");
  dialog.oncancel = (event) => event.preventDefault();
  dialog.showModal();
  return new Promise((done) => {
    dialog.querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      const answer = await fetch("api/login", {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ token: at("token").value }),
      });
      if (!answer.ok) {
        at("login-error").textContent = (await answer.json()).error;
        return;
      }
      dialog.close();
      done(await (await fetch("api/state")).json());
    };
  });
}

function sessions(wire) {
  const select = at("live");
  wire.addEventListener("live", ({ detail: { live, problem } }) => {
    notice(problem);
    const shown = select.value;
    select.replaceChildren(...live.map(({ name, mouse, what }) => new Option(`${mouse} (${what})`, name)));
    select.disabled = !live.length;
    if (!live.length) {
      select.replaceChildren(new Option("none runs", ""));
      return;
    }
    const names = live.map(({ name }) => name);
    const next = names.includes(shown) ? shown : names[names.length - 1];
    select.value = next;
    if (next !== shown || wire.shown !== next) wire.look(next);
  });
  select.onchange = () => wire.look(select.value);
}

function notice(text) {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

function connection(wire) {
  const show = (state, text) => {
    at("link").dataset.state = state;
    at("link").textContent = text;
  };
  wire.addEventListener("open", () => show("open", "connected"));
  wire.addEventListener("closed", () => show("closed", "not connected"));
}

// What every tab is given: who sits here and what they may do, the mouse that is chosen, and the server.
class Page extends EventTarget {
  constructor(state) {
    super();
    this.state = state;
    this.mouse = localStorage.getItem("mouse") ?? "";
  }

  get role() {
    return this.state.role;
  }

  // Returns the name of who sits here; says so and returns "" where none is given.
  who() {
    const name = at("who").value.trim();
    if (!name) this.say("Write your name at the top first: it is recorded with what you do", false);
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

  choose(mouse) {
    if (mouse === this.mouse) return;
    this.mouse = mouse;
    localStorage.setItem("mouse", mouse);
    this.dispatchEvent(new Event("mouse"));
  }
}

async function begin() {
  tabs();
  theme();
  const who = at("who");
  who.value = localStorage.getItem("who") ?? "";
  who.onchange = () => localStorage.setItem("who", who.value.trim());
  const page = new Page(await signedIn());
  document.documentElement.dataset.role = page.role;
  const url = new URL("ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const wire = new Wire(url);
  page.controls = new Controls(wire, page);
  new See(at("see"), wire, page);
  new Place(at("place"), wire, page);
  new Run(at("run"), wire, page);
  new Back(at("back"), wire, page);
  page.controls.stand("see");
  connection(wire);
  sessions(wire);
}

begin();
