// The template as a file: Camunda's schema, and what that schema lets through.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { validateZeebe } from '@bpmn-io/element-templates-validator';

import { cases, template, templateText } from '../modeler.mjs';
import { official } from '../official.mjs';

const properties = template.properties;
const inputs = Object.fromEntries(properties.filter(it => it.binding.type === 'zeebe:input').map(it => [it.id, it]));

test('Camunda\'s schema takes the template, without a warning', () => {
  const { valid, errors, warnings } = validateZeebe(templateText);
  assert.deepEqual((errors ?? []).map(it => `line ${(it.dataPointer?.value?.line ?? 0) + 1}: ${it.instancePath} ${it.message}`), []);
  assert.deepEqual((warnings ?? []).map(it => it.message), []);
  assert.ok(valid);
});

test('every id is there once, and every condition and group names one that is there', () => {
  const ids = properties.map(it => it.id);
  assert.equal(new Set(ids).size, ids.length);
  const groups = template.groups.map(it => it.id);
  assert.deepEqual([...new Set(properties.map(it => it.group).filter(Boolean))], groups, 'groups stand in the order of their fields');
  for (const { id, condition } of properties.filter(it => it.condition)) {
    const chooser = properties.find(it => it.id === condition.property);
    assert.equal(chooser?.type, 'Dropdown', `${id} depends on ${condition.property}`);
    for (const value of condition.oneOf ?? [condition.equals]) {
      // Empty: a task that was made with another template and has no choice yet.
      assert.ok(value === '' || chooser.choices.some(it => it.value === value), `${id} waits for ${value}, which cannot be chosen`);
    }
  }
});

test('every key is one that the schema knows by meaning, not only lets pass', () => {
  const known = ['id', 'label', 'description', 'tooltip', 'placeholder', 'value', 'feel', 'constraints', 'group', 'binding', 'condition', 'type', 'choices'];
  for (const property of properties) {
    assert.deepEqual(Object.keys(property).filter(key => !known.includes(key)), [], property.id);
  }
});

test('every pattern is a regular expression, and its message reads on from the label', () => {
  for (const { id, constraints } of properties.filter(it => it.constraints?.pattern)) {
    assert.doesNotThrow(() => new RegExp(constraints.pattern.value), id);
    assert.match(constraints.pattern.message, /^must .+[^.]$/, id);
  }
});

// The component is asked about the same values in ../../tests/json_door.rs.
test('host names, URLs and token endpoints have the rules of the component', () => {
  const pattern = id => new RegExp(properties.find(it => it.id === id).constraints.pattern.value);
  const compare = (pattern, { taken, refused }, around = it => it) => {
    for (const text of taken.map(around)) assert.match(text, pattern);
    // References to secrets pass every pattern.
    for (const text of refused.map(around)) assert.doesNotMatch(text, pattern);
  };
  const { origins, domains, instances, tokenPaths } = cases;
  for (const id of ['snInstance', 'snInstanceOfUrl']) compare(pattern(id), instances);
  compare(pattern('snDomain'), domains);
  for (const around of [it => it, it => `${it}/`]) {
    compare(pattern('snEndpoint'), origins, around);
    compare(pattern('authentication.oauthTokenEndpoint'), { taken: origins.taken, refused: origins.refused.filter(it => !/[?\\#]/.test(it)) }, around);
  }
  for (const path of ['//', '/x', '?x', '#x']) assert.doesNotMatch(`https://flows.example.com${path}`, pattern('snEndpoint'));
  for (const origin of origins.taken) compare(pattern('authentication.oauthTokenEndpoint'), tokenPaths, path => origin + path);
});

// The component is asked about the same paths and characters in ../../tests/json_door.rs.
test('the trigger path\'s pattern takes what the component takes, and nothing else', () => {
  const { paths } = cases;
  const pattern = new RegExp(properties.find(it => it.id === 'restApiTriggerPath').constraints.pattern.value);
  const takes = path => pattern.test(path);
  for (const path of paths.taken) assert.ok(takes(path), JSON.stringify(path));
  for (const path of paths.refused) assert.ok(!takes(path), JSON.stringify(path));

  const within = (ranges, code) => ranges.some(([first, last]) => first <= code && code <= last);
  for (let code = 0; code <= 0xffff; code++) {
    const c = String.fromCharCode(code);
    // Half of a character, and those with a meaning of their own.
    if ((0xd800 <= code && code <= 0xdfff) || '%./?'.includes(c)) continue;
    const anywhere = !within(paths.refusedCharacters, code);
    const atTheEnd = anywhere && !within(paths.refusedAtTheEnd, code);
    for (const [path, taken] of [[`/a${c}b`, anywhere], [`/a?${c}b`, anywhere], [`/a${c}`, atTheEnd], [`/a?${c}`, atTheEnd]]) {
      assert.equal(takes(path), taken, JSON.stringify(path));
    }
  }

  // Encoded bytes: every one and two of them, and of three and four those at the edges of UTF-8 (RFC 3629, section 4).
  const bytes = [...Array(256).keys()];
  const edges = [0x2e, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff];
  const together = (...lists) => lists.reduce((before, list) => before.flatMap(some => list.map(it => [...some, it])), [[]]);
  for (const sequence of [...together(bytes), ...together(bytes, bytes), ...together(edges, edges, edges), ...together(edges, edges, edges, edges)]) {
    const encoded = sequence.map(it => `%${it.toString(16).padStart(2, '0')}`).join('');
    let isText = !sequence.some(it => it < 0x20 || it === 0x7f);
    try { decodeURIComponent(encoded); } catch { isText = false; }
    assert.equal(takes(`/a${encoded}b`), isText, encoded);
    assert.equal(takes(`/a${encoded.toUpperCase()}b`), isText, encoded);
    assert.ok(takes(`/a?${encoded}`), encoded);
  }
});

test('every visible field has a label and says what to enter', () => {
  for (const property of properties.filter(it => it.type !== 'Hidden')) {
    assert.ok(property.label, property.id);
    assert.ok(property.tooltip?.length > 30, property.id);
    assert.doesNotMatch(property.tooltip, /<|\n/, property.id);
  }
});

test('a default is one of the choices, and fits its own pattern', () => {
  for (const { id, value, choices, constraints } of properties.filter(it => it.value !== undefined)) {
    if (choices) assert.ok(choices.some(it => it.value === value), id);
    if (constraints?.pattern) assert.match(value.replace(/^=/, ''), new RegExp(constraints.pattern.value), id);
  }
});

test('a credential\'s placeholder is a secret\'s reference, and never has a default', () => {
  for (const id of ['username', 'password', 'clientId', 'clientSecret', 'value', 'token']) {
    const field = inputs[`authentication.${id}`];
    assert.match(field.placeholder, /^\{\{secrets\.\w+\}\}$/, id);
    assert.equal(field.value, undefined, id);
  }
});

test('what the official template has, this one has: same inputs and headers, same defaults, same FEEL', () => {
  const left = ['url', 'storeResponse', 'skipEncoding', 'ignoreNullValues'];
  const key = it => `${it.binding.type} ${it.binding.name ?? it.binding.key ?? it.binding.property}`;
  for (const theirs of official.properties) {
    if (left.includes(theirs.id)) {
      assert.equal(inputs[theirs.id], undefined, `${theirs.id} is of the REST connector alone`);
      continue;
    }
    const ours = properties.find(it => key(it) === key(theirs));
    assert.ok(ours, `${key(theirs)} is missing`);
    if (theirs.binding.property === 'type') continue;
    assert.equal(ours.value, theirs.value, `default of ${theirs.id}`);
    assert.equal(ours.feel, theirs.feel, `FEEL of ${theirs.id}`);
    if (theirs.type !== 'Hidden') assert.equal(ours.type, theirs.type, `type of ${theirs.id}`);
  }
  assert.deepEqual(template.appliesTo, official.appliesTo);
  assert.deepEqual(template.elementType, official.elementType);
});

test('each authentication shows its own fields, and no other\'s', () => {
  const fields = type => properties
    .filter(it => it.type !== 'Hidden' && it.condition?.property === 'authentication.type' && (it.condition.oneOf ?? [it.condition.equals]).includes(type))
    .map(it => it.id.replace('authentication.', ''));
  assert.deepEqual(fields('basic'), ['username', 'password']);
  assert.deepEqual(fields('bearer'), ['token']);
  assert.deepEqual(fields('apiKey'), ['apiKeyLocation', 'name', 'value']);
  assert.deepEqual(fields('oauth-client-credentials-flow'),
    ['oauthTokenEndpoint', 'clientId', 'clientSecret', 'audience', 'clientAuthentication', 'scopes']);
  assert.deepEqual(fields('noAuth'), []);
});

test('the icon is a picture in the file itself', () => {
  assert.match(template.icon.contents, /^data:image\/svg\+xml,%3Csvg /);
  assert.ok(template.icon.contents.length < 2000);
});
