// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Numbers in words, as the displays write them.

/** An angle in [0, 360). */
export function wrapped(degrees) {
  return ((degrees % 360) + 360) % 360;
}

/** "72.1°". */
export function angleText(degrees, decimals = 1) {
  // Rounded first: 359.97 is 0.0, not 360.0.
  return `${wrapped(Number(degrees.toFixed(decimals))).toFixed(decimals)}°`;
}

/** "72.1° ± 0.1°"; "± unknown" without a deviation. */
export function bearingText(degrees, deviation) {
  let decimals = 1;
  let said = "unknown";
  if (isNumber(deviation) && deviation >= 0) {
    decimals = deviation >= 0.095 ? 1 : 2;
    said = deviation >= 0.005 ? `${deviation.toFixed(decimals)}°` : "under 0.01°";
  }
  return `${angleText(degrees, decimals)} ± ${said}`;
}

export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** "12 s", "3 min", "2 h", "4 d". */
export function ageText(seconds) {
  if (seconds < 120) {
    return `${Math.round(seconds)} s`;
  }
  if (seconds < 7200) {
    return `${Math.round(seconds / 60)} min`;
  }
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

/** "433.920 MHz", "25 kHz": to the hertz, without needless zeros. */
export function frequencyText(hertz) {
  if (!isNumber(hertz)) {
    return "unknown";
  }
  // A channel far below a low centre.
  if (hertz < 0) {
    return "below 0 Hz";
  }
  if (hertz >= 1e6) {
    const text = (hertz / 1e6).toFixed(6).replace(/0{1,3}$/, "");
    return `${text} MHz`;
  }
  return hertz >= 1e3 ? `${Number((hertz / 1e3).toFixed(3))} kHz` : `${Number(hertz.toFixed(1))} Hz`;
}

const UNITS = { "": 1e6, hz: 1, khz: 1e3, k: 1e3, mhz: 1e6, m: 1e6, ghz: 1e9, g: 1e9 };

/** Hertz of "433.92", which is MHz, "433.92 MHz", "1,2 GHz" or "868300 kHz"; null for what is no
 * frequency. */
export function parseFrequency(text) {
  const match = /^\s*([0-9]+(?:[.,][0-9]+)?(?:e[0-9]+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = match && match[2].toLowerCase();
  const number = match && parseDecimal(match[1]);
  if (!match || number === null || !Object.hasOwn(UNITS, unit)) {
    return null;
  }
  // To the hertz: 433.92e6 would be 433920000.00000006 otherwise.
  return Math.round(number * UNITS[unit]);
}

/** The number of "1.5" or "1,5"; null for "1,200", which is 1200 to some and 1.2 to others. */
export function parseDecimal(text) {
  return /,[0-9]{3}(?![0-9])/.test(text) ? null : Number(text.replace(",", "."));
}

/** "received_frames" as "received frames". */
export function plain(name) {
  return String(name).replaceAll("_", " ");
}

/** "28 dB", "28, 30.5 dB" of one gain or of one an element. */
export function gainText(gain) {
  const values = (Array.isArray(gain) ? gain : [gain]).filter(isNumber);
  if (!values.length) {
    return "unknown";
  }
  const distinct = new Set(values).size === 1 ? values.slice(0, 1) : values;
  return `${distinct.map((value) => Number(value.toFixed(1))).join(", ")} dB`;
}

/** 1234567 as "1 234 567", with narrow spaces that do not break. */
export function countText(value) {
  return isNumber(value) ? String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f") : String(value);
}
