// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The compass: bearings with their deviations, and the spectrum of one channel around it.

import { levelRange } from "./chart.js";
import { atBearing, markPath, shape, wedgePath } from "./svg.js";
import { angleText, isNumber } from "./words.js";

const RADIUS = 100;
const LOBE_RADIUS = 92;
const NEEDLE_RADIUS = 97;
const NAMES = {
  true: [[0, "N"], [90, "E"], [180, "S"], [270, "W"]],
  array: [[0, "front"], [90, "right"], [180, "rear"], [270, "left"]],
};

export class Compass {
  constructor(svg) {
    this.rose = shape("g");
    this.lobes = shape("g");
    this.pointers = shape("g");
    svg.replaceChildren(this.rose, this.lobes, this.pointers);
    this.drawn = null;
  }

  /**
   * frame: "true" or "array", what is up. heading: of the array in degrees, or null.
   * bearings: {series, angle, deviation or null, isStale}, angles in that frame.
   * spectrum: {series, start, step, levels, isStale} in that frame, or null.
   */
  draw(frame, heading, bearings, spectrum) {
    this.#drawRose(frame, heading);
    this.lobes.replaceChildren(...(spectrum ? this.#lobe(spectrum) : []));
    this.pointers.replaceChildren(...bearings.flatMap((bearing) => this.#pointer(bearing)));
  }

  #drawRose(frame, heading) {
    const wanted = `${frame} ${heading}`;
    if (wanted === this.drawn) {
      return;
    }
    this.drawn = wanted;
    const parts = [shape("circle", { r: RADIUS, class: "ring" })];
    for (const share of [1 / 3, 2 / 3]) {
      parts.push(shape("circle", { r: LOBE_RADIUS * share, class: "circle" }));
    }
    for (let angle = 0; angle < 360; angle += 10) {
      const [x0, y0] = atBearing(angle, RADIUS);
      const [x1, y1] = atBearing(angle, angle % 30 ? RADIUS - 3 : RADIUS - 6);
      parts.push(shape("line", { x1: x0, y1: y0, x2: x1, y2: y1, class: "tick" }));
      if (angle % 30 === 0 && angle % 90) {
        const [x, y] = atBearing(angle, RADIUS + 15);
        parts.push(shape("text", { x, y }, angleText(angle, 0)));
      }
    }
    for (const [angle, name] of NAMES[frame]) {
      const [x, y] = atBearing(angle, RADIUS + 13);
      const turn = angle % 180 ? `rotate(${angle === 90 ? 90 : -90} ${x} ${y})` : "";
      parts.push(shape("text", { x, y, transform: name.length > 1 ? turn : "" }, name));
    }
    // Where the array points on a map, or where north is as seen from the array.
    if (isNumber(heading)) {
      const angle = frame === "true" ? heading : -heading;
      const [x, y] = atBearing(angle, RADIUS);
      parts.push(shape("line", { x1: 0, y1: 0, x2: x, y2: y, class: "front-line" }));
      const mark = shape("path", { d: "M0-107L4-98H-4Z", class: "front" });
      mark.setAttribute("transform", `rotate(${angle})`);
      mark.append(shape("title", {}, frame === "true" ? "front of the array" : "north"));
      parts.push(mark);
    }
    this.rose.replaceChildren(...parts);
  }

  #lobe({ series, start, step, levels, isStale }) {
    const known = levels.filter(isNumber);
    if (known.length < 2) {
      return [];
    }
    const top = known.reduce((a, b) => Math.max(a, b));
    const lowest = known.reduce((a, b) => Math.min(a, b));
    const [bottom] = levelRange(lowest, top);
    const points = levels.map((level, k) => {
      const share = isNumber(level) ? Math.max(0, (level - bottom) / (top - bottom)) : 0;
      return atBearing(start + k * step, LOBE_RADIUS * share).join(" ");
    });
    const isFull = levels.length * step > 359.9;
    const group = shape("g", { class: `series-${series % 6}${isStale ? " stale" : ""}` });
    group.append(
      shape("path", {
        d: `M${isFull ? "" : "0 0L"}${points.join("L")}Z`,
        class: "lobe",
      }),
    );
    const label = `${Math.round(top)} dB at the rim, ${Math.round(bottom)} dB in the middle`;
    group.append(shape("title", {}, label));
    return [group];
  }

  #pointer({ series, angle, deviation, isStale, label }) {
    const group = shape("g", { class: `series-${series % 6}${isStale ? " stale" : ""}` });
    group.dataset.channel = label;
    if (isNumber(deviation) && deviation > 0) {
      const half = Math.min(deviation, 180);
      const path = wedgePath(angle - half, angle + half, NEEDLE_RADIUS);
      group.append(shape("path", { d: path, class: "wedge" }));
    }
    const [x, y] = atBearing(angle, NEEDLE_RADIUS);
    group.append(shape("line", { x1: 0, y1: 0, x2: x, y2: y, class: "needle" }));
    const mark = shape("path", { d: markPath(series), class: "mark" });
    mark.setAttribute("transform", `translate(${x} ${y}) scale(4.5)`);
    group.append(mark);
    return [group];
  }
}
