// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Marks on the axes of plots.

const STEPS_DEG = [0.5, 1, 2, 5, 10, 15, 30, 45, 90];

/** Distance of marks on an axis of this many degrees, about `count` of them. */
export function degreeStep(width, count) {
  return STEPS_DEG.find((step) => width / step <= count) ?? 90;
}

/** Multiples of step within [low, high]. */
export function multiples(low, high, step) {
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k) {
    found.push(k * step);
  }
  return found;
}

/** [low, high] in dB around these levels: whole steps of 5, 10 to 80 of them. */
export function levelRange(low, high) {
  const top = 5 * Math.ceil(high / 5);
  const bottom = 5 * Math.floor(low / 5);
  return [Math.max(Math.min(bottom, top - 10), top - 80), top];
}
