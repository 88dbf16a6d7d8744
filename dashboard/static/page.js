// Puts the page together: signing in, tabs, which session is shown, who you are, dark or light.

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

async function begin() {
  tabs();
  theme();
  const who = at("who");
  who.value = localStorage.getItem("who") ?? "";
  who.onchange = () => localStorage.setItem("who", who.value.trim());
  const state = await signedIn();
  document.documentElement.dataset.role = state.role;
  const url = new URL("ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const wire = new Wire(url);
  new See(at("see"), wire, () => who.value.trim());
  connection(wire);
  sessions(wire);
}

begin();
