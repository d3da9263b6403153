// Runs without a shell: node --test tests/panel.test.js
'use strict'

const assert = require('node:assert')
const { test } = require('node:test')

const { keep, rate } = require('../panel.js')

const ctx = (values) => ({ values, t: (key, told) => (told ? `${key} ${told.rate}` : key) })

test('the rate is millilitres an hour', () => {
  assert.strictEqual(rate(ctx({ volume: 1000, hours: 8 })), 125)
  assert.strictEqual(rate(ctx({ volume: 'mye', hours: 8 })), null)
})

test('a rate can be kept', () => {
  assert.deepStrictEqual(keep(ctx({ volume: 1000, hours: 8 })).state.kept, ['kept 125'])
})

test('nothing is kept before both are there', () => {
  assert.throws(() => keep(ctx({ volume: 1000 })), /missing/)
})
