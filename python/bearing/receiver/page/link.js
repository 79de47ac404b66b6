// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The connection to the receiver: it comes back by itself, and tells how it is.

const KEY = "bearing-receiver-token";
const PROTOCOL = "bearing";
const SHORTEST_WAIT_S = 1;
const LONGEST_WAIT_S = 10;
// A state comes every second.
const SILENCE_S = 15;

/** The receiver refused; the message says why, status is HTTP's, 0 without an answer. */
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class Link {
  /** on: {bearing, spectrum, state, lost, history, words} called with what comes, and status
   * called with {state: "connecting" | "live" | "waiting" | "token", detail}. */
  constructor(on) {
    this.on = on;
    this.socket = null;
    this.timer = null;
    this.wait = SHORTEST_WAIT_S;
    this.heard = performance.now();
    setInterval(() => this.#watch(), 1000);
    window.addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        this.#retryNow();
      }
    });
  }

  get token() {
    return sessionStorage.getItem(KEY);
  }

  /** Keeps the token until the browser's tab is closed, if the receiver takes it. */
  async useToken(token) {
    await ask("api/state", { token });
    sessionStorage.setItem(KEY, token);
    if (!this.socket) {
      this.connect();
    }
  }

  forgetToken() {
    sessionStorage.removeItem(KEY);
  }

  async command(name, options) {
    const body = JSON.stringify({ command: name, ...options });
    return ask("api/command", { token: this.token, body });
  }

  async connect() {
    clearTimeout(this.timer);
    this.timer = null;
    this.on.status({ state: "connecting", detail: "connecting" });
    let socket;
    try {
      this.on.words(await ask("api/words", {}));
      this.on.state(await ask("api/state", { token: this.token }));
      this.on.history((await ask("api/bearings", { token: this.token })).bearings);
      const address = new URL("ws", document.baseURI);
      address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
      const protocols = this.token ? [PROTOCOL, `token.${this.token}`] : [PROTOCOL];
      socket = new WebSocket(address, protocols);
    } catch (error) {
      if (error.status === 401) {
        // Trying again with the same token would only lock this address out.
        this.forgetToken();
        this.on.status({ state: "token", detail: `${error.message}: enter it below` });
        return;
      }
      this.#later(error.message);
      return;
    }
    this.socket = socket;
    this.heard = performance.now();
    socket.addEventListener("open", () => {
      this.wait = SHORTEST_WAIT_S;
      this.on.status({ state: "live", detail: "live" });
    });
    socket.addEventListener("message", (event) => {
      this.heard = performance.now();
      const { kind, payload } = JSON.parse(event.data);
      this.on[kind]?.(payload);
    });
    socket.addEventListener("close", (event) => {
      if (this.socket === socket) {
        this.socket = null;
        this.#later(event.reason || "connection lost");
      }
    });
  }

  #later(reason) {
    const seconds = this.wait;
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT_S);
    this.on.status({ state: "waiting", detail: `${reason}; trying again in ${seconds} s` });
    clearTimeout(this.timer);
    // Pages of several people would otherwise come back at once.
    this.timer = setTimeout(() => this.connect(), 1000 * seconds * (0.8 + 0.4 * Math.random()));
  }

  #retryNow() {
    if (this.timer !== null) {
      this.wait = SHORTEST_WAIT_S;
      this.connect();
    }
  }

  #watch() {
    if (this.socket && performance.now() - this.heard > 1000 * SILENCE_S) {
      const { socket } = this;
      this.socket = null;
      socket.close();
      this.#later("receiver is silent");
    }
  }
}

/** The JSON that an address answers; a body is posted. */
async function ask(address, { token = null, body = null }) {
  const headers = {};
  if (token) {
    headers.Authorization = `Bearer ${token}`;
  }
  if (body !== null) {
    headers["Content-Type"] = "application/json";
  }
  let response;
  let answer;
  try {
    response = await fetch(address, {
      method: body === null ? "GET" : "POST",
      headers,
      body,
      cache: "no-store",
      signal: AbortSignal.timeout(15000),
    });
  } catch {
    throw new Refusal("no answer from the receiver", 0);
  }
  try {
    answer = await response.json();
  } catch {
    throw new Refusal(`the receiver answered with status ${response.status}`, response.status);
  }
  if (!response.ok) {
    throw new Refusal(answer.error ?? `status ${response.status}`, response.status);
  }
  return answer;
}
