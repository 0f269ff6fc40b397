// Headless Chromium with the modeler in it, and the hands of a person who works with it.
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';

import { executable } from './chromium.mjs';

const here = file => fileURLToPath(new URL(file, import.meta.url));

// TEMPLATE=file puts a template to the test that was broken on purpose.
export const templateText = readFileSync(process.env.TEMPLATE ?? here('../servicenow-flow-starter.json'), 'utf8');
export const template = JSON.parse(templateText);
export const cases = JSON.parse(readFileSync(here('cases.json'), 'utf8'));
export const read = file => readFileSync(here(file), 'utf8');
export const examples = readdirSync(here('../examples')).filter(file => file.endsWith('.bpmn')).sort()
  .map(file => ({ file, name: file.replace(/\.bpmn$/, ''), xml: read(`../examples/${file}`) }));

const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--font-render-hinting=none'];

/** A browser with one page per `open`; `close` ends it and removes what was built. */
export async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'modeler-'));
  const font = 'dataurl';
  await build({
    entryPoints: { bundle: here('page/modeler.js') },
    outdir: folder,
    bundle: true,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.woff': font, '.woff2': font, '.ttf': font, '.eot': font, '.svg': font }
  });
  copyFileSync(here('page/index.html'), join(folder, 'index.html'));
  const browser = await chromium.launch({ executablePath: executable(), headless: true, args: ARGUMENTS });
  return {
    async page(options = {}) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
      page.setDefaultTimeout(Number(process.env.PATIENCE ?? 20_000));
      page.problems = [];
      page.on('pageerror', error => page.problems.push(error.message));
      page.on('console', message => message.type() === 'error' && page.problems.push(message.text()));
      await page.goto(pathToFileURL(join(folder, 'index.html')).href);
      return page;
    },
    async open(xml, templates = [template], options = {}) {
      const page = await this.page(options);
      return new Modeler(page, await page.evaluate(([xml, templates]) => window.openModel(xml, templates), [xml, templates]));
    },
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

/** The modeler in a page. */
export class Modeler {
  constructor(page, warnings) {
    this.page = page;
    this.warnings = warnings;
  }

  close() {
    return this.page.close();
  }

  xml() {
    return this.page.evaluate(() => window.exportModel());
  }

  task(id) {
    return this.page.evaluate(id => window.readTask(id), id);
  }

  tasks() {
    return this.page.evaluate(() => window.serviceTasks());
  }

  apply(id, template) {
    return this.page.evaluate(([id, template]) => window.applyTemplate(id, template), [id, template]);
  }

  async select(id) {
    await this.page.click(`.djs-element[data-element-id="${id}"] .djs-hit`, { force: true });
    await this.page.waitForSelector('.bio-properties-panel-header');
  }

  /** What the panel says of the element's template: its name, or that it is not found, incompatible, to be updated. */
  async badge() {
    const group = this.page.locator('.bio-properties-panel-templates-group, .bio-properties-panel-group:has(.bio-properties-panel-select-template-button)').first();
    return (await group.innerText()).replace(/\s+/g, ' ').trim();
  }

  /** As a person does: the button in the panel, then the entry in the list. */
  async choose(id) {
    await this.page.click('.bio-properties-panel-select-template-button');
    await this.page.click(`.djs-popup [data-id="apply-template-${id}"]`);
    await this.page.waitForSelector('.bio-properties-panel-applied-template-button');
  }

  /** Takes the template's mark off the task; all values stay. */
  async unlink() {
    await this.page.click('.bio-properties-panel-applied-template-button, .bio-properties-panel-group-header-button:has-text("Not found")');
    await this.page.click('button.bio-properties-panel-dropdown-button__menu-item:text-is("Unlink")');
    await this.page.waitForSelector('.bio-properties-panel-select-template-button');
  }

  async openGroups() {
    const closed = '[data-group-id^="group-ElementTemplates__CustomProperties"] > .bio-properties-panel-group-header:not(.open)';
    while (await this.page.locator(closed).count() > 0) {
      await this.page.locator(closed).first().click();
    }
  }

  entry(label) {
    const exact = new RegExp(`^\\s*${label.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
    return this.page.locator('#panel .bio-properties-panel-entry')
      .filter({ has: this.page.locator('label.bio-properties-panel-label', { hasText: exact }) }).first();
  }

  async labels() {
    await this.openGroups();
    return this.page.$$eval('#panel [data-group-id^="group-ElementTemplates__CustomProperties"] label.bio-properties-panel-label',
      labels => labels.map(label => label.innerText.trim()));
  }

  async fill(label, text) {
    await this.openGroups();
    const entry = this.entry(label);
    const control = entry.locator('select, input:not([type=checkbox]), textarea, [role=textbox]').first();
    await control.waitFor();
    if (await control.evaluate(node => node.tagName) === 'SELECT') {
      await control.selectOption({ label: text });
      return;
    }
    await control.click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.press('Delete');
    const editor = await control.getAttribute('role') === 'textbox';
    if (!editor && text.startsWith('=') && await entry.locator('.bio-properties-panel-feel-icon').count() > 0) {
      // The sign swaps the field for an editor, which is not there at once.
      await this.page.keyboard.type('=');
      await entry.locator('.cm-focused').waitFor();
      await this.page.keyboard.type(text.slice(1));
    } else {
      await this.page.keyboard.type(text);
    }
    // Leaves the field: pending input is taken over.
    await this.page.keyboard.press('Escape');
    await control.blur().catch(() => {});
  }

  error(label) {
    return this.entry(label).locator('.bio-properties-panel-error');
  }

  /** Polls, because the panel takes what is typed over with a delay. */
  async eventually(check) {
    const end = Date.now() + Number(process.env.PATIENCE ?? 8000);
    for (;;) {
      try {
        return await check();
      } catch (error) {
        if (Date.now() > end) throw error;
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    }
  }
}
