// Runs without a shell: node --test tests/panel.test.js
'use strict'

const assert = require('node:assert')
const { test } = require('node:test')

const { name, save } = require('../panel.js')

const ctx = (values) => ({
  values, patients: ['Patient/BEB-19'], now: '2026-01-14T14:45:00+01:00', user: { reference: 'Practitioner/tone' },
  result: () => ({ rows: [] }), t: (key) => key,
})

test('a pulse is saved for the resident that was chosen', () => {
  const { resource } = save(ctx({ pulse: 72, resident: 'Patient/BEB-19' })).writes[0]
  assert.deepStrictEqual(resource.subject, { reference: 'Patient/BEB-19' })
})

test('nothing is saved for somebody outside the unit', () => {
  assert.throws(() => save(ctx({ pulse: 72, resident: 'Patient/somebody' })), /missing/)
})

test('a resident without a name has words all the same', () => {
  assert.strictEqual(name(ctx({}), { resourceType: 'Patient', id: 'x' }), 'unknown')
})
