// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The spectrum of one channel over direction.

import { degreeStep, levelRange, multiples } from "./chart.js";
import { rounded, shape } from "./svg.js";
import { isNumber, wrapped } from "./words.js";

const LEFT = 46;
const RIGHT = 16;
const TOP = 8;
const BOTTOM = 20;

export class SpectrumCurve {
  constructor(svg) {
    this.svg = svg;
  }

  /**
   * spectrum: {series, start, step, levels, isStale} or null; start and step in degrees as shown.
   * bearings: angles of the same channel, as shown.
   */
  draw(spectrum, bearings) {
    const { clientWidth: width, clientHeight: height } = this.svg;
    if (!width || !height) {
      return;
    }
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const known = spectrum ? spectrum.levels.filter(isNumber) : [];
    if (known.length < 2) {
      this.svg.replaceChildren(
        shape("text", { x: width / 2, y: height / 2 }, "no spectrum"),
      );
      return;
    }
    const { step, levels } = spectrum;
    const isFull = levels.length * step > 359.9;
    const start = isFull ? 0 : spectrum.start;
    const span = isFull ? 360 : (levels.length - 1) * step;
    const [low, high] = levelRange(
      known.reduce((a, b) => Math.min(a, b)),
      known.reduce((a, b) => Math.max(a, b)),
    );
    const x = (angle) => LEFT + ((angle - start) / span) * (width - LEFT - RIGHT);
    const y = (level) =>
      TOP + ((high - Math.max(level, low)) / (high - low)) * (height - TOP - BOTTOM);

    const parts = [];
    const levelStep = high - low > 30 ? 20 : high - low > 15 ? 10 : 5;
    for (const level of multiples(low, high, levelStep)) {
      parts.push(shape("line", { x1: LEFT, x2: width - RIGHT, y1: y(level), y2: y(level), class: "grid" }));
      const label = level === high || level + levelStep > high ? `${level} dB` : String(level);
      parts.push(shape("text", { x: LEFT - 6, y: y(level), class: "level" }, label));
    }
    const angleStep = degreeStep(span, Math.max(3, (width - LEFT) / 48));
    for (const angle of multiples(start, start + span, angleStep)) {
      parts.push(shape("line", { x1: x(angle), x2: x(angle), y1: TOP, y2: height - BOTTOM, class: "grid" }));
      const shown = isFull && angle === 360 ? 360 : wrapped(angle);
      parts.push(shape("text", { x: x(angle), y: height - 8 }, `${shown}°`));
    }

    // A full circle is turned so that it begins at 0.
    const points = levels.map((level, k) => [spectrum.start + k * step, level]);
    if (isFull) {
      for (const point of points) {
        point[0] = wrapped(point[0]);
      }
      points.sort((a, b) => a[0] - b[0]);
      points.push([points[0][0] + 360, points[0][1]]);
      points.unshift([points[points.length - 2][0] - 360, points[points.length - 2][1]]);
    }
    let path = "";
    let pen = "M";
    for (const [angle, level] of points) {
      if (!isNumber(level)) {
        pen = "M";
        continue;
      }
      path += `${pen}${rounded(x(angle))} ${rounded(y(level))}`;
      pen = "L";
    }
    const group = shape("g", { class: `series-${spectrum.series % 6}${spectrum.isStale ? " stale" : ""}` });
    const clip = shape("clipPath", { id: "spectrum-clip" });
    clip.append(shape("rect", { x: LEFT, y: 0, width: width - LEFT - RIGHT, height }));
    parts.push(clip);
    group.append(shape("path", { d: path, class: "curve", "clip-path": "url(#spectrum-clip)" }));
    for (const angle of bearings) {
      const turned = isFull ? wrapped(angle) : start + wrapped(angle - start);
      group.append(
        shape("line", { x1: x(turned), x2: x(turned), y1: TOP, y2: height - BOTTOM, class: "found" }),
      );
    }
    parts.push(group);
    this.svg.replaceChildren(...parts);
  }
}
