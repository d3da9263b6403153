// The latest pulse of each resident of the unit on screen, and a form for a new one. A start for a panel of your own.
// In a unit every read is about its residents, and every write names one of them.
'use strict'

const { Problem, decimal, node, run } = require('./wire.js')

const PEOPLE = 'Patient?_count=200'
const READINGS = 'Observation?code=8867-4&_sort=-date&_count=200'
const PULSE = { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }
const VITAL = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }]

function main(ctx) {
  const people = ctx.result(PEOPLE)
  const saving = { name: 'save' }
  const typed = ctx.values.pulse
  const wrong = typed !== undefined && typed !== '' && decimal(typed) === null
  return node('root', 'column', {}, [
    list(ctx, people, ctx.result(READINGS)),
    node('form', 'form', { label: ctx.t('new'), submit: saving }, [
      node('#resident', 'choice-field', {
        label: ctx.t('resident'), bind: 'resident',
        options: people.rows.map((one) => ({ value: `Patient/${one.id}`, label: name(ctx, one) })),
      }),
      node('#pulse', 'number-field', {
        label: ctx.t('pulse'), bind: 'pulse', unit: '/min', minimum: 20, maximum: 220, error: wrong ? ctx.t('not_a_number') : '',
      }),
      node('save', 'button', { text: ctx.t('save'), action: saving, style: 'primary', shortcut: 'Ctrl+S' }),
    ]),
  ])
}

function list(ctx, people, readings) {
  const error = people.error || readings.error
  if (error) return node('failed', 'failed', { text: error })
  if (!people.ready || !readings.ready) return node('pending', 'pending', { waits_for: ctx.t('list') })
  const newest = new Map()
  for (const one of readings.rows) {
    const who = (one.subject || {}).reference
    if (!newest.has(who)) newest.set(who, one)
  }
  return node('table', 'table', {
    label: ctx.t('list'),
    columns: [
      { key: 'name', title: ctx.t('resident'), width: 'grow' },
      { key: 'pulse', title: ctx.t('pulse'), kind: 'number', align: 'end', unit: '/min' },
      { key: 'time', title: ctx.t('time'), kind: 'time' },
    ],
    rows: people.rows.map((person) => line(ctx, person, newest.get(`Patient/${person.id}`) || {})),
    empty: ctx.t('empty'),
    empty_hint: ctx.t('empty_hint'),
  })
}

function line(ctx, person, reading) {
  const pulse = decimal((reading.valueQuantity || {}).value)
  const when = /T\d\d:\d\d/.test(reading.effectiveDateTime || '') ? { at: reading.effectiveDateTime } : ''
  return { key: String(person.id), cells: { name: name(ctx, person), pulse: pulse === null ? ctx.t('none_yet') : pulse, time: when } }
}

/** Real records have holes: a name may be missing. */
function name(ctx, person) {
  const known = (person.name || [])[0] || {}
  return [...(known.given || []), known.family || ''].filter(Boolean).join(' ') || ctx.t('unknown')
}

/** One observation about the resident that was chosen, and nobody else. */
function save(ctx) {
  const pulse = decimal(ctx.values.pulse)
  const who = ctx.values.resident
  if (pulse === null || !ctx.patients.includes(who)) throw new Problem(ctx.t('missing'))
  const person = ctx.result(PEOPLE).rows.find((one) => `Patient/${one.id}` === who) || {}
  const resource = {
    resourceType: 'Observation',
    status: 'final',
    category: VITAL,
    code: PULSE,
    subject: { reference: who },
    effectiveDateTime: ctx.now,
    performer: [{ reference: ctx.user.reference, display: ctx.user.display }],
    valueQuantity: { value: pulse, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
  }
  return {
    writes: [{ action: 'create', resource }],
    clear: ['pulse', 'resident'],
    message: ctx.t('saved', { pulse: String(pulse).replace('.', ','), name: name(ctx, person) }),
  }
}

module.exports = { main, name, save }

if (require.main === module) {
  run({ id: '@@ID@@', version: '0.1.0', views: { main: { queries: [PEOPLE, READINGS], draw: main } }, actions: { save } })
}
