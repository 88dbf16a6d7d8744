// Signing in with a token, where the page is in the network, and out.

const at = (id) => document.getElementById(id);
const AGAIN_MS = 2000;

// Returns what the server says of itself and of who asks; throws where it does not answer.
export async function askState() {
  return (await fetch("api/state")).json();
}

async function post(path, body) {
  return fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
}

// Returns the server's state, once it answers and knows who sits here.
export async function signedIn() {
  for (;;) {
    try {
      const state = await askState();
      if (state.role) return state;
      break;
    } catch {
      await new Promise((done) => { setTimeout(done, AGAIN_MS); });
    }
  }
  const dialog = at("login");
  dialog.oncancel = (event) => event.preventDefault();
  dialog.showModal();
  return new Promise((done) => {
    dialog.querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      const error = await enter().catch(() => "the page's server does not answer; see whether rigloop serve runs");
      at("login-error").textContent = error;
      if (error) return;
      dialog.close();
      done(await askState());
    };
  });
}

async function enter() {
  const answer = await post("api/login", { token: at("token").value });
  return answer.ok ? "" : (await answer.json()).error;
}

// Lets a viewer sign in as somebody else, and whoever came through the network sign out.
export function signing(role) {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  at("sign").hidden = here && role === "operator";
  at("sign").textContent = role === "viewer" ? "You look on: sign in" : "Sign out";
  at("sign").onclick = async () => {
    await post("api/logout", {}).catch(() => null);
    location.reload();
  };
}
