// The latest pulses of the resident on screen, and a form for a new one. A start for a panel of your own.
// A view describes; an action answers with effects. The shell draws, keeps what is typed, and saves.
'use strict'

const { Problem, decimal, node, run } = require('./wire.js')

const READINGS = 'Observation?code=8867-4&_sort=-date&_count=50' // just as panel.toml prefetches it
const PULSE = { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }
const VITAL = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }]

function main(ctx) {
  const saving = { name: 'save' }
  const typed = ctx.values.pulse
  const wrong = typed !== undefined && typed !== '' && decimal(typed) === null
  return node('root', 'column', {}, [
    readings(ctx),
    node('form', 'form', { label: ctx.t('new'), submit: saving }, [
      node('#pulse', 'number-field', {
        label: ctx.t('pulse'), bind: 'pulse', unit: '/min', minimum: 20, maximum: 220, error: wrong ? ctx.t('not_a_number') : '',
      }),
      node('#comment', 'text-field', { label: ctx.t('comment'), bind: 'comment' }),
      node('save', 'button', { text: ctx.t('save'), action: saving, style: 'primary', shortcut: 'Ctrl+S' }),
    ]),
  ])
}

function readings(ctx) {
  const result = ctx.result(READINGS)
  if (result.error && !result.rows.length) return node('failed', 'failed', { text: result.error })
  if (!result.ready) return node('pending', 'pending', { waits_for: ctx.t('list') })
  return node('table', 'table', {
    label: ctx.t('list'),
    columns: [
      { key: 'time', title: ctx.t('time'), kind: 'time' },
      { key: 'pulse', title: ctx.t('pulse'), kind: 'number', align: 'end', unit: '/min' },
      { key: 'comment', title: ctx.t('comment'), width: 'grow' },
      { key: 'by', title: ctx.t('by'), kind: 'muted' },
    ],
    rows: result.rows.map((one) => line(ctx, one)),
    empty: ctx.t('empty'),
    empty_hint: ctx.t('empty_hint'),
    limit: 8,
  })
}

/** A row of the table. Real records have holes: every cell may be empty. */
function line(ctx, one) {
  const pulse = decimal((one.valueQuantity || {}).value)
  const limit = decimal(ctx.settings.limit) || 100
  const performer = (one.performer || [])[0] || {}
  const notes = (one.note || []).map((part) => part.text || '').join(' ')
  const when = /T\d\d:\d\d/.test(one.effectiveDateTime || '') ? { at: one.effectiveDateTime } : ''
  const high = pulse !== null && pulse > limit
  return {
    key: String(one.id),
    cells: {
      time: when,
      pulse: high ? { text: `▲ ${String(pulse).replace('.', ',')}`, tone: 'warn', sort: pulse } : pulse,
      comment: notes,
      by: performer.display || '',
    },
  }
}

/** One observation, naming its patient, its author and its time: written when this has been answered. */
function save(ctx) {
  const pulse = decimal(ctx.values.pulse)
  if (pulse === null) throw new Problem(ctx.t('missing'))
  const comment = String(ctx.values.comment || '').trim()
  const resource = {
    resourceType: 'Observation',
    status: 'final',
    category: VITAL,
    code: PULSE,
    subject: { reference: ctx.patient },
    effectiveDateTime: ctx.now,
    performer: [{ reference: ctx.user.reference, display: ctx.user.display }],
    valueQuantity: { value: pulse, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
  }
  if (comment) resource.note = [{ text: comment }]
  return {
    writes: [{ action: 'create', resource }],
    clear: ['pulse', 'comment'],
    message: ctx.t('saved', { pulse: String(pulse).replace('.', ',') }),
  }
}

module.exports = { line, main, save }

if (require.main === module) {
  run({ id: '@@ID@@', version: '0.1.0', views: { main: { queries: [READINGS], draw: main } }, actions: { save } })
}
