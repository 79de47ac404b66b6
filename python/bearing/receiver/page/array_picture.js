// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The array from above as it is calibrated: sizes of marks are gains, hands are phases.

import { atBearing, rounded, shape, wedgePath } from "./svg.js";
import { isNumber } from "./words.js";

const REACH = 72;
const GAIN_RADIUS = 17;
// Metres; less is rounding.
const SHORTEST_MOVE = 1e-5;
const FACTORS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** What stands below the picture: draws array.positions_m and the calibration into svg. */
export function drawElements(svg, array, calibration) {
  const nominal = (array?.positions_m ?? []).map(([x, y]) => [x, y]);
  if (!nominal.length) {
    svg.replaceChildren();
    return "positions are not known";
  }
  const centre = [0, 1].map((axis) => {
    const values = nominal.map((position) => position[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  });
  const extent = Math.max(
    ...nominal.map(([x, y]) => Math.max(Math.abs(x - centre[0]), Math.abs(y - centre[1]))),
  );
  const scale = REACH / (extent || 1);
  const at = ([x, y]) => [rounded((x - centre[0]) * scale), rounded(-(y - centre[1]) * scale)];
  const isFlat = nominal.every((position) => Math.abs(at(position)[1]) < 0.1 * REACH);
  const spacing = closest(nominal) * scale;
  const size = Math.min(GAIN_RADIUS, 0.3 * spacing);

  const offsets = nominal.map((_, k) => (calibration?.positions_m?.[k] ?? [0, 0]).map(number));
  const longest = Math.max(...offsets.map(([x, y]) => Math.hypot(x, y)));
  // Drawn so large that the longest is well seen, and no two are mixed up.
  const factor = FACTORS.findLast((f) => f * longest * scale <= 0.35 * spacing) ?? 1;
  const parts = [shape("path", { d: "M-99-106L-94-96H-104Z", class: "forward" })];
  parts.push(shape("text", { x: -80, y: -100 }, "front"));
  nominal.forEach((position, k) => {
    const [x, y] = at(position);
    const group = shape("g", { transform: `translate(${x} ${y})` });
    group.dataset.element = String(k);
    const gain = gainOf(calibration, k);
    const sigma = number(calibration?.sigma_phase_rad?.[k]);
    group.append(shape("circle", { r: size, class: "nominal" }));
    if (gain) {
      const length = Math.max(3, Math.min(size * gain.size, 2.2 * size));
      group.append(shape("circle", { r: length, class: "gain" }));
      if (sigma > 0) {
        const half = Math.min((sigma * 180) / Math.PI, 180);
        const path = wedgePath(gain.phase - half, gain.phase + half, rounded(length));
        group.append(shape("path", { d: path, class: "sigma" }));
      }
      const [hx, hy] = atBearing(gain.phase, length);
      group.append(shape("line", { x1: 0, y1: 0, x2: hx, y2: hy, class: "hand" }));
    }
    const [dx, dy] = offsets[k];
    if (Math.hypot(dx, dy) > SHORTEST_MOVE) {
      const end = [rounded(dx * scale * factor), rounded(-dy * scale * factor)];
      group.append(shape("line", { x1: 0, y1: 0, x2: end[0], y2: end[1], class: "move" }));
      group.append(shape("circle", { cx: end[0], cy: end[1], r: 2.4, class: "moved" }));
    }
    // The number stands outside the array, below a line.
    const away = isFlat || Math.hypot(x, y) < 1 ? 180 : Math.atan2(x, -y) * (180 / Math.PI);
    const [lx, ly] = atBearing(away, size * 1.2 + 11);
    group.append(shape("text", { x: lx, y: ly }, String(k)));
    parts.push(group);
  });
  // A length that is round, about a third of the picture.
  const metres = roundLength(REACH / scale / 1.5);
  const width = metres * scale;
  parts.push(shape("path", { d: `M-104 98v4h${rounded(width)}v-4`, class: "scale", fill: "none" }));
  parts.push(shape("text", { x: -104 + width / 2, y: 92 }, lengthText(metres)));
  svg.replaceChildren(...parts);

  const said = [];
  if (calibration?.gains) {
    said.push("Size: gain (dashed: 1). Hand: phase, clockwise from the top, with its deviation.");
  }
  if (longest > SHORTEST_MOVE) {
    said.push(`Line and dot: moved positions, drawn × ${factor}; the longest move is ${lengthText(longest)}.`);
  }
  return said.join(" ");
}

/** Rows of a table: element, gain in dB, phase, its deviation, move. */
export function elementRows(array, calibration) {
  const count = calibration?.gains?.length ?? array?.positions_m?.length ?? 0;
  return Array.from({ length: count }, (_, k) => {
    const gain = gainOf(calibration, k);
    const sigma = calibration?.sigma_phase_rad?.[k];
    const offset = calibration?.positions_m?.[k];
    return [
      k === calibration?.reference ? `${k} (ref.)` : String(k),
      gain ? signed(20 * Math.log10(gain.size), 1) : "–",
      gain ? `${signed(gain.phase, 1)}°` : "–",
      isNumber(sigma) ? `${((sigma * 180) / Math.PI).toFixed(1)}°` : "–",
      offset ? (1000 * Math.hypot(...offset.map(number))).toFixed(1) : "–",
    ];
  });
}

function gainOf(calibration, k) {
  const pair = calibration?.gains?.[k];
  if (!pair || !isNumber(pair[0]) || !isNumber(pair[1])) {
    return null;
  }
  return {
    size: Math.hypot(pair[0], pair[1]),
    phase: (Math.atan2(pair[1], pair[0]) * 180) / Math.PI,
  };
}

function number(value) {
  return isNumber(value) ? value : 0;
}

function signed(value, decimals) {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

function closest(positions) {
  let least = Infinity;
  for (let i = 0; i < positions.length; ++i) {
    for (let k = 0; k < i; ++k) {
      least = Math.min(
        least,
        Math.hypot(positions[i][0] - positions[k][0], positions[i][1] - positions[k][1]),
      );
    }
  }
  return Number.isFinite(least) && least > 0 ? least : 1;
}

function roundLength(metres) {
  const power = 10 ** Math.floor(Math.log10(metres));
  return [5, 2, 1].map((digit) => digit * power).find((length) => length <= metres * 1.000001);
}

function lengthText(metres) {
  if (metres >= 1) {
    return `${Number(metres.toPrecision(3))} m`;
  }
  return metres >= 0.01
    ? `${Number((100 * metres).toPrecision(2))} cm`
    : `${Number((1000 * metres).toPrecision(2))} mm`;
}
