// Copyright 2026 the gr-bearing authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A browser that is told what to do by lines of JSON on stdin, each answered by one on stdout.
// usage: node browser.mjs PLAYWRIGHT_FOLDER CHROMIUM

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(`${folder}/`)("playwright-core");

// Loaded machines are slow.
const PATIENCE_MS = 60000;

const browser = await chromium.launch({
  executablePath,
  timeout: PATIENCE_MS,
  // Without a display, and where root has no user namespaces to make a sandbox of.
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const pages = new Map();

const actions = {
  async open({ name, url, width, height, scheme = "light" }) {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      // What moves would look different each time.
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const seen = { errors: [], requests: [] };
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        seen.errors.push(message.text());
      }
    });
    page.on("pageerror", (error) => seen.errors.push(String(error)));
    page.on("request", (request) => seen.requests.push(request.url()));
    page.on("websocket", (socket) => seen.requests.push(socket.url()));
    pages.set(name, { page, context, seen });
    await page.goto(url);
    return null;
  },
  evaluate: ({ page, expression }) => page.evaluate(expression),
  async wait({ page, expression }) {
    // Not waitForFunction: it evaluates text inside the page, which the page's policy forbids.
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await page.evaluate(`Boolean(${expression})`))) {
      if (performance.now() > deadline) {
        throw new Error(`not so within ${PATIENCE_MS / 1000} s; the page says: ${await page.innerText("body")}`);
      }
      await page.waitForTimeout(50);
    }
    return null;
  },
  fill: ({ page, selector, value }) => page.fill(selector, value),
  click: ({ page, selector }) => page.click(selector),
  press: ({ page, key }) => page.keyboard.press(key),
  select: ({ page, selector, value }) => page.selectOption(selector, value),
  async screenshot({ page, path, full = false }) {
    await page.screenshot({ path, fullPage: full });
    return null;
  },
  seen: ({ name }) => pages.get(name).seen,
  async close({ name }) {
    await pages.get(name).context.close();
    pages.delete(name);
    return null;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { action, name, ...options } = JSON.parse(line);
  let answer;
  try {
    const page = pages.get(name)?.page;
    answer = { result: (await actions[action]({ name, page, ...options })) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
