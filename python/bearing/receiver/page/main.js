// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The page: what has come, and when it is drawn.

import { Compass } from "./compass.js";
import { Controls } from "./controls.js";
import { Link } from "./link.js";
import {
  setText, showBearings, showCalibration, showChannels, showHeader, showLog, showOutputs, showRadio,
} from "./panels.js";
import { SpectrumCurve } from "./spectrum.js";
import { Track } from "./track.js";
import { ageText, isNumber } from "./words.js";

const byId = (id) => document.getElementById(id);

// More often would only cost the telephone's battery.
const DRAW_INTERVAL_MS = 150;
const STALE_S = 3;

const compass = new Compass(byId("compass"));
const track = new Track(byId("track"));
const curve = new SpectrumCurve(byId("spectrum"));
const now = () => performance.now() / 1000;

let state = null;
let stateTime = 0;
let sentences = {};
let linkStatus = { state: "connecting", detail: "connecting" };
let lost = 0;
let chosen = null;
let isWaiting = false;
// What the user wants to be up; without a heading it must wait.
let wantedFrame = document.querySelector("#frame input:checked").value;
const latest = new Map();
const spectra = new Map();

const link = new Link({
  words: (words) => {
    sentences = words.status;
  },
  state: (payload) => {
    state = payload;
    stateTime = now();
    document.body.classList.remove("empty");
    showState();
  },
  history: (bearings) => {
    track.clear();
    for (const bearing of bearings) {
      track.add(bearing.channel, now() - bearing.age_s, bearing);
    }
    draw();
  },
  bearing: (bearing) => {
    latest.set(bearing.channel, { bearing, time: now() });
    track.add(bearing.channel, now(), bearing);
    draw();
  },
  spectrum: (spectrum) => {
    spectra.set(spectrum.channel, { spectrum, time: now() });
    draw();
  },
  lost: (count) => {
    lost = count;
  },
  status: (status) => {
    linkStatus = status;
    if (status.state === "connecting") {
      lost = 0; // of the connection before
    }
    document.body.classList.toggle("locked", status.state === "token");
    if (status.state === "token") {
      byId("token").focus();
    }
    showLink();
  },
});
const controls = new Controls(link);

function showState() {
  const names = state.channels.map(({ name }) => name);
  if (!names.includes(chosen)) {
    chosen = names[0] ?? null;
  }
  // Channels that are no more.
  for (const kept of [latest, spectra, track.channels]) {
    for (const name of kept.keys()) {
      if (!names.includes(name)) {
        kept.delete(name);
      }
    }
  }
  // A bearing that came before this page did.
  for (const { name, bearing } of state.channels) {
    if (bearing && !latest.has(name)) {
      const age = isNumber(bearing.time) && isNumber(state.time) ? state.time - bearing.time : 0;
      latest.set(name, { bearing, time: now() - Math.max(0, age) });
    }
  }
  showHeader(state);
  showChannels(state.channels, seriesOf, chosen, choose);
  showCalibration(state);
  showRadio(state);
  showOutputs(state.outputs ?? []);
  showLog(state.messages ?? []);
  controls.show(state);
  draw();
}

function choose(name) {
  chosen = name;
  draw();
}

function seriesOf(channel) {
  return Math.max(0, state ? state.channels.findIndex(({ name }) => name === channel) : 0);
}

function showLink() {
  const age = now() - stateTime;
  let text = linkStatus.detail;
  let isBad = linkStatus.state !== "live";
  if (linkStatus.state === "live" && age > STALE_S) {
    text = `no data for ${ageText(age)}`;
    isBad = true;
  } else if (linkStatus.state === "live" && lost) {
    text = `live; ${lost} updates left out, the connection is slow`;
  }
  const element = byId("link");
  setText(element, text);
  element.className = isBad ? "bad" : "";
}

/** "true" or "array". Without a heading only the latter can be drawn. */
function frame() {
  const hasHeading = isNumber(state?.station?.heading_deg);
  const shown = hasHeading ? wantedFrame : "array";
  for (const choice of document.querySelectorAll("#frame input")) {
    choice.disabled = choice.value === "true" && !hasHeading;
    choice.checked = choice.value === shown;
  }
  return shown;
}

/** Draws soon, once for all that comes until then. */
function draw() {
  if (!isWaiting) {
    isWaiting = true;
    setTimeout(() => requestAnimationFrame(drawNow), DRAW_INTERVAL_MS);
  }
}

function drawNow() {
  isWaiting = false;
  if (!state) {
    return;
  }
  const shownFrame = frame();
  const heading = state.station?.heading_deg ?? null;
  const turn = shownFrame === "true" ? heading : 0;
  const rows = [];
  for (const { name } of state.channels) {
    const last = latest.get(name);
    if (last) {
      const { bearing } = last;
      const age = now() - last.time;
      rows.push({
        series: seriesOf(name),
        channel: name,
        angles: (shownFrame === "true" ? bearing.true_bearing_deg : bearing.angles_deg) ?? [],
        deviations: bearing.std_deg ?? [],
        status: bearing.status,
        isStale: age > STALE_S,
        age: age > STALE_S ? Math.round(age) : 0,
      });
    }
  }
  const pointers = rows.flatMap(({ series, channel, angles, deviations, isStale }) =>
    angles
      .map((angle, k) => ({ series, angle, deviation: deviations[k], isStale, label: channel }))
      .filter(({ angle }) => isNumber(angle)),
  );
  const spectrum = shownSpectrum(turn);
  compass.draw(shownFrame, heading, pointers, spectrum);
  showBearings(rows, sentences, shownFrame);
  const found = rows.find(({ channel }) => channel === chosen)?.angles.filter(isNumber) ?? [];
  curve.draw(spectrum, found);
  const told = shownFrame === "true" ? "true bearing" : "azimuth from the array's front";
  setText(byId("spectrum-channel"), chosen ? `${chosen}, over ${told}` : "");
  const span = Number(byId("span").value);
  track.draw(shownFrame, seriesOf, now(), span, byId("whole-circle").checked);
}

function shownSpectrum(turn) {
  const last = spectra.get(chosen);
  if (!last || !isNumber(turn)) {
    return null;
  }
  const { azimuth_deg: azimuth, db: levels } = last.spectrum;
  return {
    series: seriesOf(chosen),
    start: azimuth.start + turn,
    step: azimuth.step,
    levels,
    isStale: now() - last.time > STALE_S,
  };
}

for (const field of document.querySelectorAll("#frame input")) {
  field.addEventListener("change", () => {
    wantedFrame = field.value;
    draw();
  });
}
for (const field of document.querySelectorAll("#whole-circle, #span")) {
  field.addEventListener("change", draw);
}
new ResizeObserver(draw).observe(byId("track"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
// Ages grow also when nothing comes.
setInterval(() => {
  showLink();
  draw();
}, 1000);
link.connect();
