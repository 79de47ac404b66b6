// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// SVG elements, and points on a compass: y down, bearings clockwise from up.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** A new SVG element with these attributes and this text. */
export function shape(name, attributes = {}, text = null) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, typeof value === "number" ? String(rounded(value)) : value);
  }
  if (text !== null) {
    element.textContent = text;
  }
  return element;
}

/** Enough digits for a hundredth of a degree on a compass of 100 units. */
export function rounded(value) {
  return Math.round(value * 1000) / 1000;
}

/** [x, y] of a point in this direction. */
export function atBearing(degrees, distance) {
  const angle = (degrees * Math.PI) / 180;
  return [rounded(distance * Math.sin(angle)), rounded(-distance * Math.cos(angle))];
}

/** A piece of pie from one bearing clockwise to another, about the origin; the whole pie where
 * they are a turn apart. */
export function wedgePath(from, to, radius) {
  const width = Math.min(to - from, 359.99);
  const [x0, y0] = atBearing(from, radius);
  const [x1, y1] = atBearing(from + width, radius);
  return `M0 0L${x0} ${y0}A${radius} ${radius} 0 ${width > 180 ? 1 : 0} 1 ${x1} ${y1}Z`;
}

/** The mark of a series, about the origin, 2 units wide. */
export function markPath(series) {
  return MARKS[series % MARKS.length];
}

const CROSS = "M-.38-1.1H.38V-.38H1.1V.38H.38V1.1H-.38V.38H-1.1V-.38H-.38Z";
const MARKS = [
  "M-1 0A1 1 0 1 1 1 0A1 1 0 1 1-1 0Z",
  "M-.9-.9H.9V.9H-.9Z",
  "M0-1.1L1.1 .9H-1.1Z",
  "M0-1.25L1 0L0 1.25L-1 0Z",
  CROSS,
  "M-1.05-.5L-.5-1.05L0-.54L.5-1.05L1.05-.5L.54 0L1.05 .5L.5 1.05L0 .54L-.5 1.05L-1.05 .5L-.54 0Z",
];

/** A small picture of a series' mark, for words. */
export function markPicture(series) {
  const picture = shape("svg", { viewBox: "-1.4 -1.4 2.8 2.8", "aria-hidden": "true" });
  picture.classList.add(`series-${series % 6}`);
  picture.append(shape("path", { d: markPath(series), class: "mark" }));
  return picture;
}
