// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Lists and tables. Text that has not changed is left alone, so that it can be selected.

import { drawElements, elementRows } from "./array_picture.js";
import { markPicture } from "./svg.js";
import {
  ageText, bearingText, countText, frequencyText, gainText, isNumber, plain,
} from "./words.js";

const byId = (id) => document.getElementById(id);

/** A new element with this class and these children, nodes or text. */
export function node(name, className, ...children) {
  const element = document.createElement(name);
  if (className) {
    element.className = className;
  }
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Makes new children when what they are made from has changed. */
function renew(element, source, make) {
  const key = JSON.stringify(source);
  if (element.dataset.key !== key) {
    element.dataset.key = key;
    element.replaceChildren(...make());
  }
}

export function showHeader(state) {
  const { station, radio } = state;
  setText(byId("station"), station?.name || "Bearing receiver");
  document.title = `${station?.name || "Bearing receiver"} – bearings`;
  const said = [frequencyText(radio?.frequency_hz)];
  if (isNumber(station?.latitude) && isNumber(station?.longitude)) {
    said.push(`${station.latitude.toFixed(5)}°, ${station.longitude.toFixed(5)}°`);
  }
  if (isNumber(station?.heading_deg)) {
    const source = station.source && station.source !== "config" ? ` (${station.source})` : "";
    said.push(`heading ${station.heading_deg.toFixed(1)}°${source}`);
  } else {
    said.push("heading unknown");
  }
  setText(byId("summary"), said.join(" · "));
}

/** rows: {series, channel, angles, deviations, status, age, isStale} with angles as shown;
 * sentences: what a status means. */
export function showBearings(rows, sentences, frame) {
  const list = byId("bearings");
  renew(list, rows, () =>
    rows.flatMap((row) => {
      const found = row.angles
        .map((angle, k) => [angle, row.deviations[k]])
        .filter(([angle]) => isNumber(angle));
      const line = node("div", `bearing${row.isStale ? " stale" : ""}`);
      line.dataset.channel = row.channel;
      const texts = found.length
        ? found.map(([angle, deviation]) => node("div", "", bearingText(angle, deviation)))
        : [node("div", "", "no bearing")];
      line.append(
        markPicture(row.series),
        node("span", "channel", row.channel),
        node("span", "angle", ...texts),
      );
      const said = [];
      if (row.status && row.status !== "ok") {
        said.push(sentences[row.status] ?? plain(row.status));
      }
      if (row.isStale) {
        said.push(`no bearings for ${ageText(row.age)}`);
      }
      if (said.length) {
        line.append(node("span", "said", said.join("; ")));
      }
      return line;
    }),
  );
  if (!rows.length) {
    renew(list, ["none", frame], () => [node("p", "muted", "no bearings yet")]);
  }
}

/** choose: called with the name of the channel whose spectrum is wanted. */
export function showChannels(channels, seriesOf, chosen, choose) {
  renew(byId("channels"), [channels, chosen], () =>
    channels.map((channel) => {
      const button = node("input", "");
      button.type = "radio";
      button.name = "channel";
      button.value = channel.name;
      button.checked = channel.name === chosen;
      button.setAttribute("aria-label", `spectrum of ${channel.name}`);
      button.addEventListener("change", () => choose(channel.name));
      const isOpen = channel.squelch_open;
      const squelch = isOpen === null || isOpen === undefined ? null
        : node("span", `state${isOpen ? " open" : ""}`, isOpen ? "squelch open" : "squelch closed");
      const name = node("label", "name", button, markPicture(seriesOf(channel.name)), channel.name);
      if (squelch) {
        name.append(squelch);
      }
      const sources = channel.num_sources === 0 ? "sources counted"
        : channel.num_sources === 1 ? "1 source" : `${channel.num_sources} sources`;
      const facts = [frequencyText(channel.frequency_hz)];
      if (isNumber(channel.bandwidth_hz)) {
        facts.push(`${frequencyText(channel.bandwidth_hz)} wide`);
      }
      facts.push(sources, `${countText(channel.items ?? 0)} items`);
      const item = node("div", "item", name, node("div", "said", facts.join(" · ")));
      item.dataset.channel = channel.name;
      return item;
    }),
  );
}

export function showCalibration(state) {
  const { calibration, array } = state;
  const said = [];
  if (calibration) {
    said.push(calibration.text || plain(calibration.status ?? ""));
    if (isNumber(calibration.time) && isNumber(state.time) && state.time >= calibration.time) {
      said.push(`${ageText(state.time - calibration.time)} ago`);
    }
    if (calibration.saved_path) {
      said.push(`kept in ${calibration.saved_path}`);
    } else if (calibration.status !== "fixed") {
      said.push("not kept");
    }
  }
  setText(byId("calibration-text"), said.filter(Boolean).join(" · ") || "no calibration");
  const picture = byId("elements");
  const key = JSON.stringify([array, calibration?.gains, calibration?.positions_m, calibration?.sigma_phase_rad]);
  if (picture.dataset.key !== key) {
    picture.dataset.key = key;
    setText(byId("elements-caption"), drawElements(picture, array, calibration));
  }
  const rows = calibration ? elementRows(array, calibration) : [];
  renew(byId("gains"), rows, () => {
    if (!rows.length) {
      return [];
    }
    const row = (cell, values) => node("tr", "", ...values.map((value) => node(cell, "", value)));
    return [
      node("thead", "", row("th", ["element", "gain, dB", "phase", "± σ", "moved, mm"])),
      node("tbody", "", ...rows.map((values) => row("td", values))),
    ];
  });
}

export function showRadio(state) {
  const radio = state.radio ?? {};
  const said = [radio.kind, radio.state].filter(Boolean).map(plain).join(": ");
  setText(byId("radio-state"), [said, radio.detail].filter(Boolean).join(". "));
  const facts = [
    ["frequency", frequencyText(radio.frequency_hz)],
    ["sample rate", isNumber(radio.sample_rate_hz) && radio.sample_rate_hz > 0
      ? `${frequencyText(radio.sample_rate_hz).replace("Hz", "S/s")}` : "unknown"],
    ["gain", gainText(radio.gain_db)],
    ["elements", String(radio.num_elements ?? "unknown")],
    ...Object.entries(radio.counters ?? {}).map(([name, count]) => [plain(name), countText(count)]),
    ["up for", ageText(state.uptime_s ?? 0)],
    ["memory", isNumber(state.process?.memory_mb) ? `${state.process.memory_mb.toFixed(0)} MB` : "unknown"],
    ["processor", isNumber(state.process?.cpu_percent) ? `${state.process.cpu_percent.toFixed(0)} % of a core` : "unknown"],
    ["watching", countText(state.web?.watching ?? 0)],
    ["version", state.version ?? "unknown"],
  ];
  renew(byId("radio-facts"), facts, () =>
    facts.flatMap(([name, value]) => [node("dt", "", name), node("dd", "", value)]),
  );
}

const ALWAYS_SHOWN = new Set(["received", "written", "dropped", "errors"]);

export function showOutputs(outputs) {
  renew(byId("outputs"), outputs, () =>
    outputs.length
      ? outputs.map((output) => {
          // Of many counters those that say something.
          const counters = Object.entries(output.counters ?? {})
            .filter(([name, count]) => count || ALWAYS_SHOWN.has(name))
            .map(([name, count]) => `${plain(name)} ${countText(count)}`);
          const item = node(
            "div", "item",
            node("div", "name", plain(output.kind)),
            node("div", "said", output.target ?? ""),
            node("div", "", output.state ?? ""),
            node("div", "said", counters.join(" · ")),
          );
          return item;
        })
      : [node("p", "muted", "none")],
  );
}

export function showLog(lines) {
  const log = byId("log");
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  renew(log, lines, () => lines.map((text) => node("li", "", text)));
  if (isAtEnd) {
    log.scrollTop = log.scrollHeight;
  }
}
