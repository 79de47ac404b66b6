// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What may be changed, with the token.

import { node, setText } from "./panels.js";
import { frequencyText, gainText, isNumber, parseDecimal, parseFrequency } from "./words.js";

const byId = (id) => document.getElementById(id);

export class Controls {
  constructor(link) {
    this.link = link;
    this.isBusy = false;
    this.shownCount = null;
    this.#on("token-form", () => this.#useToken());
    this.#on("retune-form", () => this.#retune());
    this.#on("gain-form", () => this.#setGain());
    this.#on("sources-form", () => this.#setSources());
    byId("forget").addEventListener("click", () => {
      link.forgetToken();
      this.#say("token forgotten");
      this.#showToken();
    });
    byId("sources-channel").addEventListener("change", () => this.#showCount());
    this.#showToken();
  }

  /** Fills in what the receiver has. */
  show(state) {
    const isOpen = state.can_change !== false;
    for (const form of ["token-form", "retune-form", "gain-form", "sources-form"]) {
      for (const field of byId(form).elements) {
        field.disabled = !isOpen;
      }
    }
    if (!isOpen && !byId("answer").textContent) {
      this.#say("nothing can be changed here: the receiver has no token file");
    }
    byId("frequency").placeholder = frequencyText(state.radio?.frequency_hz);
    byId("gain").placeholder = gainText(state.radio?.gain_db);

    const names = state.channels.map(({ name }) => name);
    const most = Math.max(1, (state.radio?.num_elements ?? 2) - 1);
    const choice = byId("sources-channel");
    this.counts = new Map(state.channels.map(({ name, num_sources: count }) => [name, count]));
    const key = JSON.stringify([names, most]);
    if (choice.dataset.key !== key) {
      choice.dataset.key = key;
      const before = choice.value;
      choice.replaceChildren(...names.map((name) => option(name, name)));
      choice.value = names.includes(before) ? before : names[0];
      const counts = Array.from({ length: most + 1 }, (_, k) => option(String(k), k ? String(k) : "count them"));
      byId("sources").replaceChildren(...counts);
      this.#showCount();
    } else if (this.counts.get(choice.value) !== this.shownCount) {
      // Someone else's change: to set what stood here would take it back.
      this.#showCount();
    }
  }

  #showCount() {
    const count = this.counts?.get(byId("sources-channel").value);
    this.shownCount = count;
    if (isNumber(count)) {
      byId("sources").value = String(count);
    }
  }

  #showToken() {
    const has = Boolean(this.link.token);
    byId("forget").hidden = !has;
    byId("token").placeholder = has ? "in use" : "";
  }

  #on(form, action) {
    byId(form).addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.isBusy) {
        return;
      }
      this.isBusy = true;
      try {
        await action();
      } catch (error) {
        this.#say(error.message, true);
        if (error.status === 401) {
          this.link.forgetToken();
          byId("token").focus();
        }
      } finally {
        this.isBusy = false;
        this.#showToken();
      }
    });
  }

  async #useToken() {
    const field = byId("token");
    const token = field.value.trim();
    if (!/^[A-Za-z0-9._~-]+$/.test(token)) {
      throw new Error("a token is made of letters, digits and -._~");
    }
    await this.link.useToken(token);
    field.value = "";
    this.#say("token taken; it is kept until this tab is closed");
  }

  async #retune() {
    const frequency = parseFrequency(byId("frequency").value);
    if (frequency === null) {
      throw new Error("a frequency is written like 433.92 MHz or 1200 MHz, without a comma for thousands");
    }
    await this.#command("retune", { frequency_hz: frequency }, `retuned to ${frequencyText(frequency)}`);
    byId("frequency").value = "";
  }

  async #setGain() {
    const match = /^\s*([+-]?[0-9]+(?:[.,][0-9]+)?)\s*(?:db)?\s*$/i.exec(byId("gain").value);
    const gain = match && parseDecimal(match[1]);
    if (gain === null) {
      throw new Error("a gain is written like 28.0 dB");
    }
    await this.#command("set_gain", { gain_db: gain }, `gain set to ${gain} dB`);
    byId("gain").value = "";
  }

  async #setSources() {
    const channel = byId("sources-channel").value;
    const count = Number(byId("sources").value);
    const said = count ? `looks for ${count}` : "counts its sources";
    await this.#command("set_num_sources", { channel, num_sources: count }, `${channel} ${said}`);
  }

  async #command(name, options, done) {
    if (!this.link.token) {
      byId("token").focus();
      throw new Error("enter the token first");
    }
    this.#say("…");
    await this.link.command(name, options);
    this.#say(done);
  }

  #say(text, isBad = false) {
    const answer = byId("answer");
    setText(answer, text);
    answer.className = isBad ? "bad" : "";
  }
}

function option(value, text) {
  const made = node("option", "", text);
  made.value = value;
  return made;
}
