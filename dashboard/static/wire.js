// The connection to the server: one WebSocket, which comes back by itself. Reads updates, sends wishes, keeps no state
// of the session.

const COMES_BACK_MS = [250, 500, 1000, 2000, 4000];
const ANSWER_MS = 15000;

export class Wire extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.number = 0;
    this.waiting = new Map();
    this.tries = 0;
    this.shown = null;
    this.open();
  }

  get connected() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  open() {
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.tries = 0;
      this.say("open");
      if (this.shown) this.look(this.shown);
    };
    this.socket.onclose = () => {
      for (const { answered, late } of this.waiting.values()) {
        clearTimeout(late);
        answered({ ok: false, text: "the connection was lost before the answer came" });
      }
      this.waiting.clear();
      this.say("closed");
      setTimeout(() => this.open(), COMES_BACK_MS[Math.min(this.tries++, COMES_BACK_MS.length - 1)]);
    };
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.hear(JSON.parse(data));
      else this.hear(readUpdate(data));
    };
  }

  hear(message) {
    // What was on its way when another session was chosen.
    if (["hello", "update", "end"].includes(message.t) && message.live !== this.shown) return undefined;
    if (message.t !== "answer") return this.say(message.t, message);
    const waiting = this.waiting.get(message.id);
    if (!waiting) return undefined;
    this.waiting.delete(message.id);
    clearTimeout(waiting.late);
    return waiting.answered(message);
  }

  say(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  // Shows a session from now on, also after the connection was lost.
  look(live) {
    this.shown = live;
    return this.send({ do: "look", live });
  }

  // Asks the shown session for something; resolves to {ok, text}.
  ask(what, who, more = {}) {
    return this.send({ do: what, who, live: this.shown, ...more });
  }

  send(message) {
    return new Promise((answered) => {
      if (!this.connected) {
        answered({ ok: false, text: "the page is not connected to the rig; wait until it is" });
        return;
      }
      const id = ++this.number;
      const late = setTimeout(() => {
        this.waiting.delete(id);
        answered({ ok: false, text: "no answer came; look at the log whether it was done" });
      }, ANSWER_MS);
      this.waiting.set(id, { answered, late });
      this.socket.send(JSON.stringify({ id, ...message }));
    });
  }
}

// An update is the length of its header (4 bytes, little-endian), the header (JSON), and the blobs that it lists.
function readUpdate(data) {
  const length = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  let at = 4 + length;
  const blobs = {};
  for (const [name, size] of Object.entries(header.blobs)) {
    blobs[name] = new Uint8Array(data, at, size);
    at += size;
  }
  return { ...header, blobs, table: readRows(header.rows, blobs.rows) };
}

// Returns the rows as one Float32Array per column.
function readRows({ n, columns }, bytes) {
  const cells = new Float32Array(bytes.slice().buffer);
  const table = {};
  columns.forEach((name, place) => {
    const column = new Float32Array(n);
    for (let row = 0; row < n; row++) column[row] = cells[row * columns.length + place];
    table[name] = column;
  });
  return table;
}
