// Checking what is changed, a moment after the last change; showing it key by key; saving it.

import { cell } from "./place_dom.js";

const CHECK_MS = 300;

export class Saving {
  // `acts`: the tab: draft (the present one), told (its problems), picture, problems(list), saved(draft, changes),
  // discard(), reload(), anyDirty().
  constructor(root, page, acts) {
    this.at = (id) => root.querySelector(`#place-${id}`);
    this.page = page;
    this.acts = acts;
    this.dialog = this.at("dialog");
    this.number = 0;
    this.at("save").onclick = () => this.open();
    this.at("confirm").onclick = () => this.save();
    this.at("discard").onclick = () => this.discard();
    window.addEventListener("beforeunload", (event) => {
      if (this.acts.anyDirty()) event.preventDefault();
    });
  }

  show() {
    const { draft } = this.acts;
    const count = draft ? draft.diff().length : 0;
    this.at("unsaved").textContent = count ? `${count} unsaved change${count === 1 ? "" : "s"}` : "Nothing to save";
    this.at("save").disabled = this.at("discard").disabled = !count;
    this.at("undo").disabled = !draft?.past.length;
    this.at("redo").disabled = !draft?.future.length;
  }

  // Asks the server what would be wrong, once the hand rests.
  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), CHECK_MS);
  }

  async check() {
    const { draft } = this.acts;
    clearTimeout(this.timer);
    const number = ++this.number;
    let answer = { problems: draft.mouse.problems, rois: draft.mouse.rois };
    if (draft.dirty) {
      try {
        answer = await this.page.api(`${path(draft)}/check`, { changes: draft.asked() });
      } catch (error) {
        answer = { problems: [{ key: null, text: error.message }], rois: draft.checked };
      }
    }
    // What was asked before is no answer any more.
    if (number !== this.number || draft !== this.acts.draft) return;
    draft.checked = answer.rois ?? {};
    this.acts.problems(answer.problems);
  }

  async open() {
    const { draft } = this.acts;
    if (!draft?.dirty) return;
    const who = this.page.who();
    if (!who) return;
    this.at("dialog-title").textContent = `Save for mouse ${draft.mouse.mouse}`;
    const where = "Written into the mouse's section of config.ini";
    this.at("dialog-who").textContent = `${where}, and noted as ${who}'s. All other lines stay.`;
    this.dialog.showModal();
    await this.offer();
    if (!this.acts.told.length) this.at("confirm").focus();
  }

  // Shows what would be written, and what is wrong with it; offers to write it if nothing is.
  async offer() {
    const { draft } = this.acts;
    this.at("confirm").disabled = true;
    this.at("diff").replaceChildren(...draft.diff().map(([key, old, text]) => {
      const row = cell("tr", "");
      row.append(cell("th", key), cell("td", old ?? "not given"), cell("td", text ?? "taken out"));
      return row;
    }));
    this.tell([]);
    await this.check();
    this.tell(this.acts.told);
    this.at("confirm").disabled = this.acts.told.length > 0 || !draft.dirty;
  }

  tell(problems) {
    const lines = problems.map(({ key, text }) => cell("li", key ? `${key}: ${text}` : text));
    this.at("dialog-problems").replaceChildren(...lines);
  }

  async save() {
    const { draft } = this.acts;
    const who = this.page.who();
    if (!who) return;
    this.at("confirm").disabled = true;
    const sent = draft.changes;
    const body = { changes: draft.asked(), who, ...(draft.mouse.stamp ? { stamp: draft.mouse.stamp } : {}) };
    try {
      const { saved, note } = await this.page.api(`${path(draft)}/save`, body);
      this.dialog.close();
      const holds = this.acts.picture.running ? "; it holds from the next preview or session on" : "";
      this.page.say(`Saved ${saved.join(", ")} for ${draft.mouse.mouse}${holds}${note ? `; ${note}` : ""}`, !note);
      await this.acts.saved(draft, sent);
    } catch (error) {
      await this.refused(error);
    }
  }

  async refused(error) {
    if (!this.dialog.open) {
      this.page.say(error.message, false);
      return;
    }
    if (error.status === 409) {
      // Somebody saved something else: the changes stay, and are shown against what is there now.
      await this.acts.reload();
      await this.offer();
      const text = "The file was changed since it was read here: nothing was saved. See what stands there now, then "
        + "save again.";
      this.tell([{ key: null, text }, ...this.acts.told]);
      return;
    }
    this.tell(error.problems?.length ? error.problems : [{ key: null, text: error.message }]);
    if (error.problems?.length) this.acts.problems(error.problems);
    else this.at("confirm").disabled = false;
  }

  discard() {
    const { draft } = this.acts;
    const asked = `Discard ${draft.diff().length} unsaved change(s) of ${draft.mouse.mouse}?`;
    if (window.confirm(asked)) this.acts.discard();
  }
}

const path = (draft) => `mice/${encodeURIComponent(draft.mouse.mouse)}`;
