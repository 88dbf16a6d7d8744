// The Place tab: where a mouse's ROIs lie on the picture of its camera, and what else of the picture is set for it.

import { Chosen } from "./place_chosen.js";
import { cell } from "./place_dom.js";
import { Draft } from "./place_draft.js";
import { Exposure } from "./place_exposure.js";
import { Fields } from "./place_fields.js";
import { First } from "./place_first.js";
import { HTML } from "./place_html.js";
import { listenToKeys } from "./place_keys.js";
import { Picture } from "./place_picture.js";
import { Preview } from "./place_preview.js";
import { Saving } from "./place_save.js";
import { Scale } from "./place_scale.js";
import { freeName } from "./place_seeds.js";
import { centreOf, textOf, toMm } from "./place_shapes.js";
import { Stage } from "./place_stage.js";
import { Tools } from "./place_tools.js";

export class Place {
  constructor(root, wire, page) {
    this.root = root;
    this.page = page;
    root.classList.add("place");
    if (page.role !== "operator") {
      root.textContent = "Who looks with a viewer's token places nothing; sign in with the operator's.";
      return;
    }
    root.innerHTML = HTML;
    this.at = (id) => root.querySelector(`#place-${id}`);
    this.drafts = new Map();
    this.draft = null;
    this.selected = null;
    this.told = [];
    this.parts(wire, page);
    this.listen();
    this.enable();
  }

  parts(wire, page) {
    const { root } = this;
    this.picture = new Picture(root, wire, page);
    this.preview = new Preview(this.at("preview"), this.picture, wire, page);
    this.fields = new Fields(root, (changes) => this.change(changes));
    this.first = new First(root, this.picture, page, this);
    this.exposure = new Exposure(root, this.picture, page, this);
    this.scale = new Scale(root, this);
    this.saving = new Saving(root, page, this);
    this.chosen = new Chosen(root, this);
    this.stage = new Stage(this.at("stage"), {
      select: (key) => this.select(key),
      place: (key, shape, tag) => this.place(key, shape, tag),
      bregma: (place, tag) => this.change(this.draft.bregma(place), undefined, tag),
      name: () => this.chosen.name(),
      press: (event) => this.tools.press(event),
      measured: () => this.tools?.draw(),
    });
    this.tools = new Tools(root, this.stage, {
      add: (shape) => this.add(shape),
      nothing: () => this.select(null),
      usual: () => Math.max(4, Math.round(this.draft.view.roiSize[0] * this.draft.view.ppmm)),
      scale: (ends) => this.scale.take(ends),
      grasp: () => this.first.shift,
      shift: (dx, dy, start) => this.first.move(dx, dy, start),
      turn: (degrees) => this.first.turn(degrees),
    });
  }

  listen() {
    this.at("mouse").onchange = () => this.page.choose(this.at("mouse").value);
    this.page.addEventListener("mouse", () => this.take(this.page.mouse));
    this.picture.addEventListener("change", () => this.frame());
    this.at("undo").onclick = () => this.step("undo");
    this.at("redo").onclick = () => this.step("redo");
    for (const id of ["grid", "seeds"]) this.at(`show-${id}`).onchange = () => this.draw();
    this.at("zoom").onchange = () => {
      this.frame();
      this.centre();
    };
    this.stage.root.addEventListener("pointermove", (event) => this.cursor(event));
    this.stage.root.addEventListener("pointerleave", () => { this.at("cursor").textContent = ""; });
    listenToKeys(this);
    // A tab that was hidden has no size; what another browser saved shows when this one is opened.
    document.addEventListener("tab", ({ detail }) => {
      if (detail === this.root.id) this.load();
    });
    // A field that was typed into shows what came of it.
    this.root.addEventListener("focusout", () => this.draw());
  }

  // Reads the mice, and shows the chosen one.
  async load() {
    try {
      const { mice, problems } = await this.page.api("mice");
      this.mice = mice;
      const options = mice.map(({ mouse, experiment }) => new Option(`${mouse} (${experiment})`, mouse));
      this.at("mouse").replaceChildren(...options);
      this.at("problems").replaceChildren(...problems.map((text) => cell("li", text)));
      const names = mice.map(({ mouse }) => mouse);
      const mouse = [this.page.mouse, this.draft?.mouse.mouse, names[0]].find((each) => names.includes(each));
      if (mouse) await this.take(mouse);
    } catch (error) {
      this.page.say(error.message, false);
    }
  }

  // Shows a mouse, with its unsaved changes if it has any. Until it is there, what is pressed would be done to the one
  // before, and nothing can be pressed.
  async take(mouse) {
    if (!mouse) return;
    this.wanted = mouse;
    const before = this.draft?.mouse.mouse;
    this.rest(mouse !== before);
    let facts;
    try {
      facts = await this.page.api(`mice/${encodeURIComponent(mouse)}`);
    } catch (error) {
      this.page.say(error.message, false);
      // Elsewhere another mouse would be chosen than the one that was just pressed there.
      if (this.wanted === mouse && before && !this.root.hidden) this.page.choose(before);
      return;
    }
    if (this.wanted !== mouse) return;
    this.at("mouse").value = mouse;
    this.draft = this.drafts.get(mouse) ?? new Draft(facts);
    this.draft.take(facts);
    this.drafts.set(mouse, this.draft);
    this.rest(false);
    if (before !== mouse) {
      this.selected = null;
      this.tools.take("select");
    }
    this.at("about").textContent = [facts.experiment, facts.rig].filter(Boolean).join(", ");
    this.fields.make(this.draft);
    this.enable();
    this.problems(facts.problems);
    if (before !== mouse) this.first.reset();
    // A mouse's first session may have been recorded since it was looked for.
    if (before !== mouse || !this.picture.first) await this.picture.show(facts);
    else this.picture.again(facts);
    if (this.draft.dirty) this.saving.later();
  }

  rest(on) {
    this.rests = on;
    for (const each of this.root.querySelectorAll("[data-draft]")) each.inert = on;
  }

  async reload() {
    if (this.draft) await this.take(this.draft.mouse.mouse);
  }

  async saved(draft, sent) {
    draft.saved(await this.page.api(`mice/${encodeURIComponent(draft.mouse.mouse)}`), sent);
    this.preview.saved();
    if (draft !== this.draft) return;
    this.problems(draft.mouse.problems);
    if (draft.dirty) this.saving.later();
  }

  discard() {
    this.change(Object.fromEntries(Object.keys(this.draft.changes).map((key) => [key, this.draft.base[key] ?? null])));
  }

  anyDirty() {
    return [...this.drafts.values()].some(({ dirty }) => dirty);
  }

  enable() {
    const kind = this.draft?.mouse.kind;
    for (const each of this.root.querySelectorAll("[data-imaging]")) each.hidden = kind !== "clnf";
    for (const each of this.root.querySelectorAll(".place-panel")) each.hidden = !kind;
    this.at("rois-title").textContent = kind === "clmf" ? "Start and target" : "Regions of interest";
  }

  // Changes keys of the draft, and chooses a shape if one is given.
  change(changes, selected, tag = "") {
    this.draft.set(changes, tag);
    if (selected !== undefined) this.selected = selected;
    this.draw();
    this.saving.later();
  }

  place(key, shape, tag) {
    const item = this.draft.items().find((each) => each.key === key);
    if (item) this.change(this.draft.placing(item, shape), key, tag);
  }

  add(shape) {
    const name = freeName(new Set(this.draft.items().map((item) => item.name)));
    this.addNamed(name, shape);
    // On a phone the keyboard would hide the picture.
    if (!matchMedia("(pointer: coarse)").matches) this.chosen.name();
  }

  addNamed(name, shape) {
    this.change({ [`roi.${name}`]: textOf(shape) }, `roi.${name.toLowerCase()}`);
  }

  select(key) {
    if (this.selected === key) return;
    this.selected = key;
    this.draft?.pause();
    this.draw();
  }

  step(which) {
    if (!this.draft?.[which]()) return;
    this.draw();
    this.saving.later();
  }

  problems(told) {
    this.told = told;
    this.draw();
  }

  draw() {
    // What is taken off the page while it has the focus tells so, in the middle of drawing.
    if (this.drawing) return;
    this.drawing = true;
    try {
      this.saving.show();
      if (this.draft) this.drawDraft(this.draft);
    } finally {
      this.drawing = false;
    }
  }

  drawDraft(draft) {
    const items = draft.mouse.kind ? draft.items() : [];
    const rois = this.fields.show(this.told, new Set(items.map(({ name }) => name)));
    if (!draft.mouse.kind) return;
    this.chosen.show(draft, this.selected, rois);
    this.stage.draw({
      items, selected: this.selected, view: draft.view, seeds: draft.mouse.seeds ?? {},
      bad: new Set(Object.keys(rois)),
      show: {
        grid: this.at("show-grid").checked,
        seeds: this.at("show-seeds").checked && draft.mouse.kind === "clnf",
        bregma: draft.mouse.kind === "clnf",
      },
    });
  }

  // Fits the frame to the picture.
  frame() {
    const [width, height] = this.picture.size;
    this.root.style.setProperty("--ratio", width / height);
    this.root.style.setProperty("--zoom", this.at("zoom").value);
    if (this.tools?.tool === "first" && !this.picture.live) this.tools.take("select");
    this.at("source").textContent = this.picture.mouse ? this.picture.source : "";
    this.stage.resize([width, height]);
  }

  // Scrolls so that the chosen shape is in the middle, or the picture's middle is.
  centre() {
    const frame = this.at("frame");
    const [width, height] = this.picture.size;
    const item = this.draft?.items().find(({ key }) => key === this.selected);
    const [x, y] = item ? centreOf(item.shape) : [width / 2, height / 2];
    const across = (x / width) * frame.scrollWidth - frame.clientWidth / 2;
    frame.scrollTo(across, (y / height) * frame.scrollHeight - frame.clientHeight / 2);
  }

  cursor(event) {
    if (!this.draft?.mouse.kind) return;
    const point = this.stage.point(event);
    const { view } = this.draft;
    const px = `x ${Math.floor(point[0])}, y ${Math.floor(point[1])} px`;
    const mm = view.bregma ? toMm(point, view).map((value) => value.toFixed(2)) : null;
    this.at("cursor").textContent = mm ? `${px} · ML ${mm[0]}, AP ${mm[1]} mm` : px;
  }
}
