// Draws the examples, and finds what a reader would stumble over: shapes, labels and flows that lie on one another.
// As a program: writes docs/pictures/ (examples and the form), and fails where something overlaps.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { cases, examples, read, start, template } from './modeler.mjs';

const ROOM = 2;
// More than the panel needs with the groups of any picture open.
const HEIGHT = 1800;

const box = ({ x, y, width, height }, by = 0) => ({ left: x - by, top: y - by, right: x + width + by, bottom: y + height + by });
const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const segments = flow => flow.points.slice(1).map((to, index) => {
  const from = flow.points[index];
  return { left: Math.min(from.x, to.x), right: Math.max(from.x, to.x), top: Math.min(from.y, to.y), bottom: Math.max(from.y, to.y), straight: from.x === to.x || from.y === to.y };
});
// A segment is thin, not without extent.
const wide = it => ({ left: it.left - 1, right: it.right + 1, top: it.top - 1, bottom: it.bottom + 1 });

/** What overlaps in a drawing, one sentence each. */
export function overlaps({ shapes, flows }) {
  const faults = [];
  const told = it => `${it.label ? 'the label ' : ''}"${it.name}"`;
  const drawn = shapes.filter(it => it.type !== 'bpmn:Process');
  drawn.forEach((a, index) => {
    if (a.text) {
      const [inner, outer] = [box(a.text, 1), box(a)];
      if (inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom) faults.push(`the text of ${told(a)} does not fit into its shape`);
      for (const event of drawn.filter(it => it.host === a.id)) {
        if (meet(box(a.text), box(event))) faults.push(`${told(event)} lies on the text of ${told(a)}`);
      }
    }
    const words = a.name.split(/\s+/);
    if (a.lines?.some(line => line.split(/\s+/).some(word => !words.includes(word)))) faults.push(`${told(a)} breaks within a word`);
    for (const b of drawn.slice(index + 1)) {
      // A boundary event sits on its task, by its meaning.
      if (a.host === b.id || b.host === a.id) continue;
      if (meet(box(a, ROOM / 2), box(b, ROOM / 2))) faults.push(`${told(a)} and ${told(b)} overlap`);
    }
  });
  flows.forEach((flow, index) => {
    for (const part of segments(flow)) {
      if (!part.straight) faults.push(`the flow "${flow.name}" is not drawn at right angles`);
      for (const shape of drawn) {
        if (!shape.label && (shape.id === flow.source || shape.id === flow.target)) continue;
        const host = drawn.find(it => it.id === flow.source)?.host;
        if (shape.id === host && flow.points.slice(1).every(({ x, y }) => !meet(wide({ left: x, right: x, top: y, bottom: y }), box(shape)))) continue;
        if (meet(wide(part), box(shape))) faults.push(`the flow "${flow.name}" runs through ${told(shape)}`);
      }
      for (const other of flows.slice(index + 1)) {
        if (segments(other).some(it => meet(wide(it), wide(part)))) faults.push(`the flows "${flow.name}" and "${other.name}" cross or touch`);
      }
    }
    const ends = [[flow.points[0], flow.source], [flow.points.at(-1), flow.target]];
    for (const [{ x, y }, id] of ends) {
      const shape = shapes.find(it => it.id === id);
      if (shape && !meet(wide({ left: x, right: x, top: y, bottom: y }), box(shape, 1))) faults.push(`the flow "${flow.name}" does not touch "${shape.name}"`);
    }
  });
  // A gateway that only joins has no question to ask.
  const joins = it => /Gateway/.test(it.type) && flows.filter(flow => flow.source === it.id).length < 2;
  for (const shape of drawn.filter(it => !it.label && /Event|Gateway/.test(it.type) && !joins(it) && !drawn.some(label => label.of === it.id))) {
    faults.push(`"${shape.name}" has no label`);
  }
  return [...new Set(faults)];
}

/** Draws one; the page holds the picture. */
export async function draw(browser, xml) {
  const page = await browser.page({ viewport: { width: 1400, height: 900 }, deviceScaleFactor: 2 });
  return { page, ...(await page.evaluate(xml => window.drawModel(xml), xml)) };
}

async function main() {
  const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const browser = await start();
  let failed = false;
  for (const { name, xml } of examples) {
    const { page, ...drawing } = await draw(browser, xml);
    for (const fault of [...drawing.warnings, ...overlaps(drawing)]) {
      console.error(`${name}: ${fault}`);
      failed = true;
    }
    await page.locator('#picture').screenshot({ path: `${folder}${name}.png` });
    console.log(`docs/pictures/${name}.png`);
    await page.close();
  }
  await forms(browser, folder);
  await browser.close();
  process.exitCode = failed ? 1 : 0;
}

// The form, as it looks when the first of the cases has been typed in, and what it says of mistakes.
async function forms(browser, folder) {
  const panel = async (name, fill, groups) => {
    const modeler = await browser.open(read('empty.bpmn'), [template], { viewport: { width: 1100, height: HEIGHT }, deviceScaleFactor: 2 });
    await modeler.select('Task_1');
    await modeler.choose(template.id);
    await fill(modeler);
    // Only the groups that the picture is about stay open.
    for (const header of await modeler.page.locator('[data-group-id^="group-ElementTemplates__CustomProperties"] > .bio-properties-panel-group-header').all()) {
      const title = (await header.innerText()).trim();
      const open = await header.evaluate(node => node.classList.contains('open'));
      if (open !== groups.includes(title)) await header.click();
    }
    await modeler.page.evaluate(() => {
      document.activeElement?.blur();
      document.querySelector('.bio-properties-panel-scroll-container')?.scrollTo(0, 0);
      document.querySelector('.djs-context-pad-parent')?.remove();
    });
    await modeler.page.mouse.move(5, 5);
    await modeler.eventually(async () => {
      if (modeler.page.problems.length) throw new Error(modeler.page.problems.join());
    });
    // The panel down to the end of the template's last group, so that no row is cut.
    const { x, width } = await modeler.page.locator('#panel').boundingBox();
    const last = await modeler.page.locator('[data-group-id^="group-ElementTemplates__CustomProperties"]').last().boundingBox();
    const end = Math.ceil(last.y + last.height);
    if (end > HEIGHT) throw new Error(`${name} needs a page of ${end} pixels`);
    await modeler.page.screenshot({ path: `${folder}${name}.png`, animations: 'disabled', clip: { x, y: 0, width, height: end } });
    console.log(`docs/pictures/${name}.png`);
    await modeler.close();
  };
  const typed = async (modeler, entries) => {
    for (const [label, text] of entries) await modeler.fill(label, text);
    await modeler.eventually(async () => {
      const held = JSON.stringify(await modeler.task('Task_1'));
      const [, last] = entries.at(-1);
      if (!held.includes(JSON.stringify(last).slice(1, -1))) throw new Error(`${last} is not taken over yet`);
    });
  };
  const basic = cases.filled.find(it => it.name === 'basic').form
    .map(([label, text]) => [label, { Username: '{{secrets.snUser}}', Password: '{{secrets.snPwd}}', 'Request body': '={"correlationValue": camId}', 'Query parameters': '{"hello": "query"}' }[label] ?? text]);
  await panel('form', modeler => typed(modeler, basic), ['ServiceNow', 'Authentication']);
  await panel('form-oauth', modeler => typed(modeler, [
    ['Type', 'OAuth 2.0 client credentials'], ['Client secret', '{{secrets.snClientSecret}}'], ['Client ID', '{{secrets.snClientId}}']
  ]), ['Authentication']);
  await panel('form-mistakes', async modeler => {
    await typed(modeler, [['Instance name', 'https://acme.service-now.com'], ['REST API trigger path', 'api/sn_cico/my_flow']]);
    await modeler.eventually(async () => { await modeler.error('REST API trigger path').innerText({ timeout: 500 }); });
  }, ['ServiceNow']);
  await panel('form-errors', modeler => typed(modeler, [
    ['If it is unknown whether the flow started', 'Throw BPMN error FLOW_UNKNOWN'],
    ['Error expression', 'if error.code = "403" then bpmnError("NO_ROLE", error.message) else null']
  ]), ['Output mapping', 'Error handling', 'Retries']);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
