// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Bearings over the last minutes.

import { degreeStep, multiples } from "./chart.js";
import { markPath } from "./svg.js";
import { angleText, isNumber, wrapped } from "./words.js";

const LONGEST_S = 600;
// Of one channel: what is closer would not be seen apart.
const SPACING_S = 0.25;
const MOST_POINTS = 4000;
const LEAST_WIDTH_DEG = 20;
// Of one point's part of the band from -σ to +σ; those of a receiver's history are 0.5 s apart.
const BAND_S = 0.7;
const LEAST_BAND_PX = 3;

const LEFT = 44;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 20;

export class Track {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
  }

  clear() {
    this.channels = new Map();
  }

  /** A bearing message of a channel that came at this time, in seconds of a steady clock. */
  add(channel, time, bearing) {
    let points = this.channels.get(channel);
    if (!points) {
      points = [];
      this.channels.set(channel, points);
    }
    if (points.length && time - points[points.length - 1].time < SPACING_S) {
      return;
    }
    points.push({
      time,
      array: bearing.angles_deg ?? [],
      true: bearing.true_bearing_deg ?? [],
      deviations: bearing.std_deg ?? [],
    });
    if (points.length > MOST_POINTS || time - points[0].time > LONGEST_S + 30) {
      points.splice(0, Math.max(1, points.length - MOST_POINTS));
    }
  }

  /**
   * frame: "true" or "array". seriesOf: channel to series. now: of the same clock. span: seconds.
   */
  draw(frame, seriesOf, now, span, isWhole) {
    const { canvas } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = window.devicePixelRatio || 1;
    if (!width || !height) {
      return;
    }
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `11px ${style.fontFamily}`;

    const shown = this.#points(frame, seriesOf, now - span);
    const [low, high] = isWhole ? [0, 360] : fittedRange(shown);
    const x = (time) => LEFT + ((time - now + span) / span) * (width - LEFT - RIGHT);
    const y = (angle) => TOP + ((high - angle) / (high - low)) * (height - TOP - BOTTOM);

    pen.strokeStyle = colour("--grid");
    pen.fillStyle = colour("--muted");
    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const angle of multiples(low, high, degreeStep(high - low, height / 30))) {
      line(pen, LEFT, y(angle), width - RIGHT, y(angle));
      const decimals = Number.isInteger(angle) ? 0 : 1;
      pen.fillText(low === 0 && angle === 360 ? "360°" : angleText(angle, decimals), LEFT - 6, y(angle));
    }
    const timeStep = span > 300 ? 120 : span > 60 ? 60 : 15;
    pen.textAlign = "center";
    for (let ago = 0; ago <= span; ago += timeStep) {
      const at = x(now - ago);
      line(pen, at, TOP, at, height - BOTTOM);
      const label = ago === 0 ? "now" : ago < 60 ? `−${ago} s` : `−${ago / 60} min`;
      pen.fillText(label, Math.min(at, width - RIGHT - 12), height - 9);
    }
    if (!shown.length) {
      pen.fillText("no bearings yet", (LEFT + width) / 2, height / 2);
    }

    const markSize = shown.length > 600 ? 1.2 : 1.8;
    const bandWidth = Math.max(LEAST_BAND_PX, x(BAND_S) - x(0));
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, TOP - 3, width - LEFT - RIGHT + 4, height - TOP - BOTTOM + 6);
    pen.clip();
    // Shown at the turn that lies in the range.
    const turned = (angle) => low + wrapped(angle - low);
    const withBand = shown.filter(({ deviation }) => isNumber(deviation) && deviation > 0);
    for (const series of new Set(withBand.map((point) => point.series))) {
      // One area for all of a series: where parts lie on each other it is no darker.
      pen.beginPath();
      for (const { time, angle, deviation } of withBand.filter((point) => point.series === series)) {
        const half = Math.min(deviation, 180);
        for (const turn of [-360, 0, 360]) {
          const top = turned(angle) + turn + half;
          if (top > low && top - 2 * half < high) {
            const tall = y(top - 2 * half) - y(top);
            pen.rect(x(time) - bandWidth / 2, y(top), bandWidth, tall);
          }
        }
      }
      pen.fillStyle = colour(`--series-${series % 6}`);
      pen.globalAlpha = 0.3;
      pen.fill();
      pen.globalAlpha = 1;
    }
    for (const { time, angle, series } of shown) {
      pen.fillStyle = colour(`--series-${series % 6}`);
      pen.save();
      pen.translate(x(time), y(turned(angle)));
      pen.scale(markSize, markSize);
      pen.fill(pathOf(series));
      pen.restore();
    }
    pen.restore();
    canvas.setAttribute("aria-label", sentence(shown, span));
  }

  #points(frame, seriesOf, since) {
    const found = [];
    for (const [channel, points] of this.channels) {
      const series = seriesOf(channel);
      for (const point of points) {
        if (point.time < since) {
          continue;
        }
        point[frame].forEach((angle, k) => {
          if (isNumber(angle)) {
            found.push({ time: point.time, angle, deviation: point.deviations[k], series });
          }
        });
      }
    }
    return found;
  }
}

/** [low, high] in degrees, no wider than a turn, in which all bearings lie; the whole circle where
 * that would be most of it. */
export function fittedRange(points) {
  const angles = points.map(({ angle }) => wrapped(angle)).sort((a, b) => a - b);
  if (!angles.length) {
    return [0, 360];
  }
  // Cut open at the widest gap.
  let widest = angles[0] + 360 - angles[angles.length - 1];
  let low = angles[0];
  for (let k = 1; k < angles.length; ++k) {
    if (angles[k] - angles[k - 1] > widest) {
      widest = angles[k] - angles[k - 1];
      low = angles[k];
    }
  }
  const width = 360 - widest;
  const room = Math.max((LEAST_WIDTH_DEG - width) / 2, 0.15 * width, 2);
  return width + 2 * room > 240 ? [0, 360] : [low - room, low + width + room];
}

function sentence(shown, span) {
  const minutes = Math.round(span / 60);
  const what = shown.length === 1 ? "1 bearing" : `${shown.length} bearings`;
  return `${what} of the last ${minutes === 1 ? "minute" : `${minutes} minutes`}`;
}

function line(pen, x0, y0, x1, y1) {
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
}

const paths = new Map();

function pathOf(series) {
  const key = series % 6;
  if (!paths.has(key)) {
    paths.set(key, new Path2D(markPath(key)));
  }
  return paths.get(key);
}
