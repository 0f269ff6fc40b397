// The form in Camunda's modeler, filled in by typing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { cases, read, start, template } from '../modeler.mjs';
import { official } from '../official.mjs';

let browser;
before(async () => { browser = await start(); });
after(async () => { await browser?.close(); });

const empty = read('empty.bpmn');

async function fresh() {
  const modeler = await browser.open(empty);
  assert.deepEqual(modeler.warnings, []);
  await modeler.select('Task_1');
  await modeler.choose(template.id);
  return modeler;
}

async function done(modeler) {
  assert.deepEqual(modeler.page.problems, []);
  await modeler.close();
}

describe('an empty task, filled in by typing', () => {
  for (const { name, form, job } of cases.filled) {
    test(name, async () => {
      const modeler = await fresh();
      for (const [label, text] of form) await modeler.fill(label, text);
      const expected = {
        element: 'bpmn:ServiceTask', template: template.id, type: 'servicenow-flow-starter:1', outputs: {}, ...job
      };
      await modeler.eventually(async () => assert.deepEqual(await modeler.task('Task_1'), expected));
      for (const [label] of form) assert.equal(await modeler.error(label).count(), 0, label);

      // What is exported is what is opened again.
      const again = await browser.open(await modeler.xml());
      assert.deepEqual(again.warnings, []);
      assert.deepEqual(await again.task('Task_1'), expected);
      await again.select('Task_1');
      assert.match(await again.badge(), /Applied/);
      await done(again);
      await done(modeler);
    });
  }
});

describe('what is wrong is said beside the field', () => {
  test('a required field that was left empty, for each authentication', async () => {
    const modeler = await fresh();
    for (const [choice, labels] of Object.entries(cases.required)) {
      await modeler.fill('Type', choice);
      await modeler.eventually(async () => {
        const complaining = [];
        for (const label of await modeler.labels()) {
          if (await modeler.error(label).count() > 0) complaining.push(label);
        }
        assert.deepEqual(complaining.sort(), [...labels].sort(), choice);
      });
      for (const label of labels) assert.match(await modeler.error(label).innerText(), /must not be empty/);
    }
    await done(modeler);
  });

  test('a value that breaks its pattern', async () => {
    const modeler = await fresh();
    for (const { label, typed, says, choose } of cases.refused) {
      if (choose) await modeler.fill(...choose);
      await modeler.fill(label, typed);
      await modeler.eventually(async () => {
        const told = await modeler.error(label).innerText({ timeout: 1000 });
        assert.ok(told.includes(says), `${label} = ${typed}: ${told}`);
      });
      if (choose) await modeler.fill(choose[0], choose[0] === 'Type' ? 'Basic' : 'Commercial (service-now.com)');
    }
    await done(modeler);
  });

  test('but not a secret, an expression, or what is unusual and right', async () => {
    const modeler = await fresh();
    for (const { label, typed, choose } of cases.accepted) {
      if (choose) await modeler.fill(...choose);
      await modeler.fill(label, typed);
      await modeler.eventually(async () => {
        const held = JSON.stringify(await modeler.task('Task_1'));
        // The modeler writes a number as `=20`.
        assert.ok(held.includes(`"${JSON.stringify(typed).slice(1)}`) || held.includes(`"=${typed}"`), `${label} does not hold ${typed}`);
        assert.equal(await modeler.error(label).count(), 0, `${label} = ${typed}`);
      });
      if (choose) await modeler.fill(choose[0], choose[0] === 'Type' ? 'Basic' : 'Commercial (service-now.com)');
    }
    await done(modeler);
  });
});

test('each choice writes every input, and those that it does not use are null, whatever was chosen before', async () => {
  const modeler = await fresh();
  const every = [...new Set(template.properties.filter(it => it.binding.type === 'zeebe:input').map(it => it.binding.name))].sort();
  const used = id => ({ condition }) => condition?.property === id;
  const fields = [
    ['Instance name', 'acme'], ['Domain name', 'service-now.example'], ['URL of the instance', 'https://flows.example.com'], ['Request body', 'text'],
    ...['Username', 'Password', 'OAuth 2.0 token endpoint', 'Client ID', 'Client secret', 'Audience', 'Scopes', 'API key name', 'API key value', 'Bearer token']
      .map(label => [label, label === 'OAuth 2.0 token endpoint' ? 'https://login.example/token' : 'typed'])
  ];
  for (const [label, id] of [['Domain', 'domainKind'], ['Method', 'method'], ['Type', 'authentication.type']]) {
    const depending = template.properties.filter(used(id)).filter(it => it.type !== 'Hidden');
    const { choices } = template.properties.find(it => it.id === id);
    let before = [];
    // Twice: the second time each choice comes from one in which its fields were hidden, the first included.
    for (const { name, value } of [...choices, ...choices]) {
      await modeler.fill(label, name);
      const shown = depending.filter(it => (it.condition.oneOf ?? [it.condition.equals]).includes(value));
      // Two fields may write one input: only one of them is shown.
      const written = shown.filter(it => it.label).map(it => it.binding.name);
      const unused = depending.map(it => it.binding.name).filter(it => !written.includes(it))
        .filter(it => !(it === 'snDomain' && ['government', 'domain'].includes(value)));
      await modeler.eventually(async () => {
        const { inputs } = await modeler.task('Task_1');
        assert.deepEqual(Object.keys(inputs).sort(), every, name);
        assert.deepEqual(unused.filter(it => inputs[it] !== '=null'), [], name);
        // What was null a choice ago is an empty field again, or its default.
        for (const { binding, value } of shown.filter(it => !before.some(({ binding }) => binding.name === it.binding.name))) {
          assert.equal(inputs[binding.name], value ?? null, `${name}: ${binding.name}`);
        }
        if (id === 'domainKind') {
          if (before.length > 0) assert.equal(inputs.snInstance, 'acme', `${name}: the instance's name stays`);
          assert.equal(inputs.snTarget, { commercial: 'instance', government: 'domain', domain: 'domain', url: 'url' }[value]);
          if (value === 'government') assert.equal(inputs.snDomain, 'servicenowservices.com');
        }
      });
      for (const it of shown) {
        const typed = fields.find(([label]) => label === it.label)?.[1];
        if (!typed) continue;
        await modeler.fill(it.label, typed);
        await modeler.eventually(async () => assert.equal((await modeler.task('Task_1')).inputs[it.binding.name], typed, it.label));
      }
      before = shown;
    }
  }
  await done(modeler);
});

test('for an older engine the panel says that the template does not fit', async () => {
  const modeler = await browser.open(empty.replace('executionPlatformVersion="8.8.0"', 'executionPlatformVersion="8.7.0"'));
  await modeler.select('Task_1');
  await modeler.page.click('.bio-properties-panel-select-template-button');
  await modeler.page.waitForSelector('.djs-popup');
  assert.equal(await modeler.page.locator(`.djs-popup [data-id="apply-template-${template.id}"]`).count(), 0);
  await done(modeler);
});

describe('a task with the official template', () => {
  const { inputs, added, dropped, headers, retries } = cases.official;
  const xml = read('official.bpmn');

  async function nothingIsLost(modeler) {
    await modeler.eventually(async () => {
      const task = await modeler.task('Task_1');
      assert.equal(task.template, template.id);
      assert.equal(task.type, 'servicenow-flow-starter:1');
      assert.equal(task.retries, retries);
      const kept = Object.fromEntries(Object.entries(inputs).filter(([name]) => !dropped.includes(name)));
      assert.deepEqual(task.inputs, { ...kept, ...added });
      assert.deepEqual(task.headers, { ...headers, onUnknown: 'incident' });
    });
    assert.match(await modeler.badge(), /Applied/);
    for (const label of await modeler.labels()) assert.equal(await modeler.error(label).count(), 0, label);
    await done(modeler);
  }

  test('is in the model that this check opens, as the table of cases says', async () => {
    const modeler = await browser.open(xml, [template, official]);
    assert.deepEqual(modeler.warnings, []);
    const task = await modeler.task('Task_1');
    assert.deepEqual([task.inputs, task.headers, task.retries, task.type, task.template],
      [inputs, headers, retries, 'io.camunda:http-json:1', official.id]);
    await done(modeler);
  });

  test('loses no value where a person unlinks the old template and selects this one', async () => {
    const modeler = await browser.open(xml, [template, official]);
    await modeler.select('Task_1');
    await modeler.unlink();
    await modeler.choose(template.id);
    await nothingIsLost(modeler);
  });

  test('loses no value where the modeler does not have the old template at all', async () => {
    const modeler = await browser.open(xml, [template]);
    await modeler.select('Task_1');
    assert.match(await modeler.badge(), /Not found/i);
    await modeler.unlink();
    await modeler.choose(template.id);
    await nothingIsLost(modeler);
  });

  test('loses no value where a program replaces the one by the other', async () => {
    const modeler = await browser.open(xml, [template, official]);
    await modeler.apply('Task_1', template.id);
    await modeler.select('Task_1');
    await nothingIsLost(modeler);
  });
});

// docs/coming-from-camunda.md says so.
test('what a person added to the task outside the form is removed with the old template', async () => {
  const xml = read('official.bpmn')
    .replace('</zeebe:ioMapping>', '<zeebe:input source="=1" target="own" /><zeebe:output source="=2" target="own" /></zeebe:ioMapping>')
    .replace('</zeebe:taskHeaders>', '<zeebe:header key="own" value="3" /></zeebe:taskHeaders><zeebe:properties><zeebe:property name="own" value="4" /></zeebe:properties>');
  const modeler = await browser.open(xml, [template]);
  const before = await modeler.task('Task_1');
  assert.deepEqual([before.inputs.own, before.outputs.own, before.headers.own, before.properties.own], ['=1', '=2', '3', '4']);
  await modeler.select('Task_1');
  await modeler.unlink();
  await modeler.choose(template.id);
  await modeler.eventually(async () => {
    const task = await modeler.task('Task_1');
    for (const kept of [task.inputs, task.outputs, task.headers, task.properties]) assert.equal(kept.own, undefined);
  });
  await done(modeler);
});

describe('a task with version 1 of this template', () => {
  const first = JSON.parse(read('version-1.json'));

  // What version 1 wrote: an input for each field that was shown.
  function model({ retries, inputs, headers, properties }) {
    const text = value => value.replace(/[&<>"]/g, it => `&#${it.charCodeAt(0)};`);
    const pairs = (list, write) => Object.entries(list).map(([name, value]) => write(name, value)).join('');
    const written = Object.fromEntries(Object.entries(inputs).filter(([name, value]) => name !== 'snTarget' && value !== '=null'));
    const extension = `<bpmn:extensionElements>
      <zeebe:taskDefinition type="servicenow-flow-starter:1" retries="${retries}" />
      <zeebe:ioMapping>${pairs(written, (name, value) => `<zeebe:input ${value === null ? '' : `source="${text(value)}" `}target="${name}" />`)}</zeebe:ioMapping>
      <zeebe:taskHeaders>${pairs(headers, (name, value) => `<zeebe:header key="${name}" value="${text(value)}" />`)}</zeebe:taskHeaders>
      <zeebe:properties>${pairs(properties, (name, value) => `<zeebe:property name="${name}" value="${value}" />`)}</zeebe:properties>
    </bpmn:extensionElements>`;
    const mark = `zeebe:modelerTemplate="${first.id}" zeebe:modelerTemplateVersion="1"`;
    return empty.replace(/<bpmn:task id="Task_1"([^>]*)>/, `<bpmn:serviceTask id="Task_1"$1 ${mark}>${extension}`).replace('</bpmn:task>', '</bpmn:serviceTask>');
  }

  for (const { name, job } of cases.filled) {
    test(`keeps its values and gets the inputs that it lacks: ${name}`, async () => {
      const modeler = await browser.open(model(job), [first, template]);
      assert.deepEqual(modeler.warnings, []);
      assert.equal((await modeler.task('Task_1')).inputs.snTarget, undefined);
      await modeler.select('Task_1');
      assert.match(await modeler.badge(), /Update available/);
      await modeler.apply('Task_1', template.id);
      await modeler.eventually(async () => assert.deepEqual(await modeler.task('Task_1'), {
        element: 'bpmn:ServiceTask', template: template.id, type: 'servicenow-flow-starter:1', outputs: {}, ...job
      }));
      await modeler.eventually(async () => assert.match(await modeler.badge(), /Applied/));
      assert.match(await modeler.xml(), /zeebe:modelerTemplateVersion="2"/);
      await done(modeler);
    });
  }

  test('keeps its values where the modeler has version 2 alone, and a person unlinks and selects it', async () => {
    const [{ job }] = cases.filled;
    const modeler = await browser.open(model(job), [template]);
    await modeler.select('Task_1');
    await modeler.unlink();
    await modeler.choose(template.id);
    await modeler.eventually(async () => assert.deepEqual((await modeler.task('Task_1')).inputs, job.inputs));
    await done(modeler);
  });
});
