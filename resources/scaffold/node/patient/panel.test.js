// Runs without a shell: node --test tests/panel.test.js
'use strict'

const assert = require('node:assert')
const { test } = require('node:test')

const { line, save } = require('../panel.js')

const ctx = (values) => ({
  values, settings: {}, patient: 'Patient/BEB-18', now: '2026-01-14T14:45:00+01:00', user: { reference: 'Practitioner/tone' }, t: (key) => key,
})

test('a pulse is saved for the patient on screen, and the form is cleared', () => {
  const effects = save(ctx({ pulse: 72, comment: 'etter trapp' }))
  const { resource } = effects.writes[0]
  assert.deepStrictEqual(resource.subject, { reference: 'Patient/BEB-18' })
  assert.strictEqual(resource.valueQuantity.value, 72)
  assert.deepStrictEqual(effects.clear, ['pulse', 'comment'])
})

test('nothing is saved without a number', () => {
  assert.throws(() => save(ctx({ pulse: 'mye' })), /missing/)
})

test('a record with holes is a row all the same', () => {
  assert.deepStrictEqual(line(ctx({}), { resourceType: 'Observation', id: 'x' }).cells, { time: '', pulse: null, comment: '', by: '' })
})
