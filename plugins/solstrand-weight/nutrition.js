// What the numbers mean: change of weight, when it is a great loss, and the MST score. Draws and writes nothing.
'use strict'

const { decimal } = require('./wire.js')

const DAY = 86400000
const LOSSES = { none: 0, unsure: 2, 1: 1, 6: 2, 11: 3, 15: 4 } // MST question 1: points by kilos lost
const EATING = { no: 0, yes: 1 } // question 2
const RISK = 2
const GREAT = [
  { days: 31, percent: 5 },
  { days: 183, percent: 10 },
]

const SHOWN = 'urn:workspace:shown' // the tag of what stands in place of a row whose meaning nobody here knows
const KILOS = { kg: 1, g: 0.001, '[lb_av]': 0.45359237, lb: 0.45359237 } // UCUM; what was recorded in another unit is no weight

/** A Quantity in kilos, to the gram; null for what is none, and for a limit («> 150 kg»): no change is reckoned from it. */
function kilos(quantity) {
  const times = quantity.comparator ? null : KILOS[quantity.code || quantity.unit]
  const value = decimal(quantity.value)
  return value === null || !times ? null : Math.round(value * times * 1000) / 1000
}

/** Weights in kilos, newest first: `{ at, kg, by, name }`. What has no time, no number or no unit of weight is left out. */
function weights(rows) {
  const found = []
  for (const row of rows) {
    const kg = kilos(row.valueQuantity || {})
    const at = Date.parse(row.effectiveDateTime || '')
    if (kg === null || kg <= 0 || Number.isNaN(at) || row.status === 'entered-in-error') continue
    const by = ((row.performer || [])[0] || {}).display || ''
    found.push({ at, when: row.effectiveDateTime, kg, by, name: row.id ? `${row.resourceType}/${row.id}` : '' })
  }
  return found.sort((one, other) => other.at - one.at)
}

/** Whether the workspace could not show a row: what it means nobody here knows. */
function withheld(row) {
  return ((row.meta || {}).tag || []).some((tag) => tag.system === SHOWN && tag.code === 'withheld')
}

/** The limit that a row says in place of a weight («> 150 kg»), or ''. */
function limit(row) {
  const held = row.valueQuantity || {}
  if (!held.comparator || row.status === 'entered-in-error') return ''
  return `${held.comparator} ${String(held.value).replace('.', ',')} ${held.unit || held.code || ''}`.trim()
}

/** The newest row that the workspace could not show, or that is only a limit, where no weight is newer; or null. */
function hidden(rows, known) {
  const odd = rows.filter((row) => withheld(row) || limit(row))
  const at = (row) => Date.parse(row.effectiveDateTime || '') || 0
  const newest = odd.sort((one, other) => at(other) - at(one))[0]
  return newest && (!known.length || at(newest) >= known[0].at) ? newest : null
}

/** The newest weight against the oldest within `days` of it: `{ kg, percent, days, of }`, `of` both; or null when there is
 * only one. */
function change(known, days) {
  const [newest] = known
  const within = known.filter((one) => newest.at - one.at <= days * DAY && one !== newest)
  if (!within.length) return null
  const first = within[within.length - 1]
  const kg = newest.kg - first.kg
  return { kg, percent: (100 * kg) / first.kg, days: Math.max(1, Math.round((newest.at - first.at) / DAY)), of: [newest, first] }
}

/** The first great loss there is, or null. */
function greatLoss(known) {
  for (const limit of known.length ? GREAT : []) {
    const found = change(known, limit.days)
    if (found !== null && -found.percent >= limit.percent) return found
  }
  return null
}

/** Total of both answers, or null when one is missing. */
function score(loss, eating) {
  if (!(loss in LOSSES) || !(eating in EATING)) return null
  return LOSSES[loss] + EATING[eating]
}

/** The flag that says `MST <score>`, or undefined. */
function flagOf(rows) {
  return rows.find((row) => /^MST \d/.test((row.code || {}).text || ''))
}

module.exports = { RISK, change, flagOf, greatLoss, hidden, limit, score, weights, withheld }
