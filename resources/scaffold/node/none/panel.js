// A drip rate worked out while one types, and a list of those one keeps. A start for a panel of your own.
// No patient and no record: all there is stands in the fields and in local state, which the shell keeps.
'use strict'

const { Problem, decimal, node, run } = require('./wire.js')

function main(ctx) {
  const keeping = { name: 'keep' }
  const kept = Array.isArray(ctx.values.kept) ? ctx.values.kept : []
  const found = rate(ctx)
  return node('root', 'column', {}, [
    node('form', 'form', { label: ctx.t('calculate'), submit: keeping }, [
      field(ctx, 'volume', { unit: 'ml', minimum: 1, maximum: 5000 }),
      field(ctx, 'hours', { unit: 't', minimum: 0.1, maximum: 48, decimals: 1 }),
      found === null
        ? node('rate', 'text', { text: ctx.t('rate_hint'), style: 'caption' })
        : node('rate', 'text', { text: ctx.t('rate', { rate: said(found) }), style: 'strong' }),
      node('keep', 'button', { text: ctx.t('keep'), action: keeping, style: 'primary', shortcut: 'Ctrl+S' }),
    ]),
    node('kept', 'table', {
      label: ctx.t('list'),
      columns: [{ key: 'text', title: ctx.t('kept_title'), width: 'grow' }],
      rows: kept.map((text, number) => ({ key: String(number), cells: { text: String(text) } })),
      empty: ctx.t('empty'),
      empty_hint: ctx.t('empty_hint'),
    }),
    kept.length ? node('clear', 'button', { text: ctx.t('clear'), action: { name: 'clear' } }) : null,
  ])
}

function field(ctx, bind, props) {
  const typed = ctx.values[bind]
  const wrong = typed !== undefined && typed !== '' && positive(typed) === null
  return node(`#${bind}`, 'number-field', { label: ctx.t(bind), bind, ...props, error: wrong ? ctx.t('not_a_number') : '' })
}

/** A number above nought, or null: a field may hold anything. */
function positive(value) {
  const found = decimal(value)
  return found !== null && found > 0 && found < 1e6 ? found : null
}

/** Millilitres an hour, or null while something is missing. */
function rate(ctx) {
  const volume = positive(ctx.values.volume)
  const hours = positive(ctx.values.hours)
  return volume === null || hours === null ? null : Math.round((10 * volume) / hours) / 10
}

function said(value) {
  return String(value).replace('.', ',')
}

function keep(ctx) {
  const found = rate(ctx)
  if (found === null) throw new Problem(ctx.t('missing'))
  const told = { volume: said(positive(ctx.values.volume)), hours: said(positive(ctx.values.hours)), rate: said(found) }
  const known = Array.isArray(ctx.values.kept) ? ctx.values.kept : []
  return { state: { kept: [...known, ctx.t('kept', told)].slice(-20) }, clear: ['volume', 'hours'] }
}

function clear() {
  return { clear: ['kept'] }
}

module.exports = { keep, main, rate }

if (require.main === module) {
  run({ id: '@@ID@@', version: '0.1.0', views: { main: { queries: [], draw: main } }, actions: { keep, clear } })
}
