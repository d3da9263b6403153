// «Vekt og ernæring»: the curve of weights, a new weight, and the MST screen with its flag. Speaks protocol 1 by wire.js.
'use strict'

const { RISK, change, flagOf, greatLoss, hidden, limit, score, weights, withheld } = require('./nutrition.js')
const { Problem, decimal, node, run } = require('./wire.js')

const WEIGHTS = 'Observation?code=29463-7,27113001&_sort=-date&_count=60'
const FLAGS = 'Flag?status=active'
const CODE = {
  coding: [
    { system: 'http://loinc.org', code: '29463-7' },
    { system: 'http://snomed.info/sct', code: '27113001' },
  ],
  text: 'Vekt',
}
const VITAL = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }]
const SAFETY = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/flag-category', code: 'safety' }] }]
const LEAST = 20
const MOST = 300
const JUMP = 5 // kilos from the last weight that are worth a question

function draw(ctx) {
  const result = ctx.result(WEIGHTS)
  const known = weights(result.rows)
  return node('root', 'column', {}, [...curve(ctx, result, known), newWeight(ctx, known), screen(ctx, known)])
}

// --- what is known -----------------------------------------------------------------------------------------

function curve(ctx, result, known) {
  if (result.error && !result.rows.length) return [node('failed', 'failed', { text: result.error })]
  if (!result.ready) return [node('pending', 'pending', { waits_for: ctx.t('weights'), lines: 4 })]
  const lost = greatLoss(known)
  const told = lost && { percent: number(-lost.percent), days: lost.days }
  const odd = hidden(result.rows, known)
  const edge = odd && limit(odd)
  const key = edge ? 'limit' : 'hidden'
  return [
    odd && node('hidden', 'notice', {
      title: ctx.t(`${key}_title`, { limit: edge }), text: ctx.t(key), tone: 'warn', about: odd.id ? `Observation/${odd.id}` : '',
    }),
    lost && node('alarm', 'notice', {
      title: ctx.t('alarm_title'), text: ctx.t('alarm', told), tone: 'warn', abouts: abouts(lost.of),
    }),
    known.length ? latest(ctx, known) : null,
    node('trend', 'trend', {
      label: ctx.t('trend'),
      watch: result.watch,
      series: [{ key: 'weight', title: ctx.t('weight'), unit: 'kg', code: '29463-7' }],
      hours: 24 * 30 * (decimal(ctx.settings.months) || 6),
      empty: ctx.t('no_weights'),
    }),
  ]
}

function latest(ctx, known) {
  const [newest] = known
  return node('latest', 'row', { wrap: true }, [
    node('latest.label', 'text', { text: ctx.t('latest'), style: 'muted' }),
    node('latest.value', 'text', {
      text: `${number(newest.kg)} kg`, style: 'strong', at: newest.when, source: newest.by, about: newest.name,
    }),
    trendPill(ctx, known),
  ])
}

function trendPill(ctx, known) {
  const moved = change(known, 183)
  if (moved === null) return null
  const key = Math.abs(moved.kg) < 0.05 ? 'same' : moved.kg < 0 ? 'down' : 'up'
  const told = { kg: number(Math.abs(moved.kg)), percent: number(Math.abs(moved.percent)), days: moved.days }
  const great = greatLoss(known) !== null
  return node('latest.change', 'pill', {
    text: ctx.t(key, told), tone: great ? 'warn' : 'neutral', shape: great ? 'diamond' : 'none', abouts: abouts(moved.of),
  })
}

/** What each weight stands in, by its words: the user can ask where it comes from. */
function abouts(of) {
  const said = (one) => `${number(one.kg)} kg ${one.when.slice(8, 10)}.${one.when.slice(5, 7)}.${one.when.slice(0, 4)}`
  return Object.fromEntries(of.filter((one) => one.name).map((one) => [said(one), one.name]))
}

// --- a new weight ------------------------------------------------------------------------------------------

function newWeight(ctx, known) {
  const typed = ctx.values.weight
  const kg = decimal(typed)
  const wrong = typed !== undefined && typed !== '' && kg === null
  const moved = kg !== null && known.length ? kg - known[0].kg : 0
  const saving = { name: 'saveWeight' }
  return node('new', 'form', { label: ctx.t('new'), submit: saving }, [
    node('#weight', 'number-field', {
      label: ctx.t('weight'), bind: 'weight', unit: 'kg', minimum: LEAST, maximum: MOST, decimals: 1,
      error: wrong ? ctx.t('not_a_number') : '',
      hint: Math.abs(moved) >= JUMP ? ctx.t('jump', { kg: signed(moved) }) : '',
    }),
    node('#comment', 'text-field', { label: ctx.t('comment'), bind: 'comment', hint: ctx.t('comment_hint') }),
    node('save', 'button', { text: ctx.t('save'), action: saving, style: 'primary', shortcut: 'Ctrl+S' }),
  ])
}

function saveWeight(ctx) {
  const kg = decimal(ctx.values.weight)
  if (kg === null) throw new Problem(ctx.t('missing'))
  if (kg < LEAST || kg > MOST) throw new Problem(ctx.t('out_of_range', { kg: number(kg) }))
  const comment = typeof ctx.values.comment === 'string' ? ctx.values.comment.trim() : ''
  const resource = {
    resourceType: 'Observation',
    status: 'final',
    category: VITAL,
    code: CODE,
    subject: { reference: ctx.patient },
    effectiveDateTime: ctx.now,
    performer: [author(ctx)],
    valueQuantity: { value: kg, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  }
  if (comment) resource.note = [{ text: comment }]
  return { writes: [{ action: 'create', resource }], clear: ['weight', 'comment'], message: ctx.t('saved', { kg: number(kg) }) }
}

// --- MST ---------------------------------------------------------------------------------------------------

function screen(ctx, known) {
  const flags = ctx.result(FLAGS)
  const standing = flagOf(flags.rows)
  const odd = flags.rows.find(withheld)
  const total = score(ctx.values.mst_loss, ctx.values.mst_eating)
  const moved = known.length ? change(known, 183) : null
  const lost = moved !== null && moved.kg <= -1 ? ctx.t('loss_hint', { kg: `−${number(-moved.kg)}` }) : ''
  const option = (value, key) => ({ value, label: ctx.t(key) })
  const saving = { name: 'saveScreen' }
  return node('mst', 'section', { title: ctx.t('mst') }, [
    standing && node('mst.standing', 'pill', {
      text: ctx.t('standing', { text: standing.code.text }), tone: 'warn', shape: 'diamond', about: standing.id ? `Flag/${standing.id}` : '',
    }),
    odd && node('mst.hidden', 'text', {
      text: ctx.t('hidden_flag'), tone: 'warn', about: odd.id ? `Flag/${odd.id}` : '',
    }),
    flags.error && node('mst.failed', 'failed', { text: flags.error }),
    node('mst.form', 'form', { label: ctx.t('mst'), submit: saving }, [
      node('#mst_loss', 'choice-field', {
        label: ctx.t('loss'), bind: 'mst_loss', hint: lost,
        options: [
          option('none', 'loss_none'), option('unsure', 'loss_unsure'), option('1', 'loss_1'), option('6', 'loss_6'),
          option('11', 'loss_11'), option('15', 'loss_15'),
        ],
      }),
      node('#mst_eating', 'choice-field', {
        label: ctx.t('eating'), bind: 'mst_eating', options: [option('no', 'eating_no'), option('yes', 'eating_yes')],
      }),
      outcome(ctx, total),
      node('mst.save', 'button', { text: ctx.t('flag'), action: saving, disabled: total === null ? ctx.t('unanswered') : '' }),
    ]),
  ])
}

function outcome(ctx, total) {
  if (total === null) return node('mst.score', 'text', { text: ctx.t('unanswered'), style: 'caption' })
  const risk = total >= RISK
  const words = `${ctx.t('score', { score: total })}. ${ctx.t(risk ? 'score_risk' : 'score_low')}.`
  return node('mst.score', 'text', { text: words, style: risk ? 'strong' : 'body', tone: risk ? 'warn' : 'neutral' })
}

/** Risk: set the flag, or change the one that stands. No risk: a flag that stands is taken down. */
function saveScreen(ctx) {
  const total = score(ctx.values.mst_loss, ctx.values.mst_eating)
  if (total === null) throw new Problem(ctx.t('unanswered'))
  const flags = ctx.result(FLAGS)
  if (!flags.ready) throw new Problem(ctx.t('flag_unknown'))
  const standing = flagOf(flags.rows)
  const risk = total >= RISK
  const done = { clear: ['mst_loss', 'mst_eating'], tone: risk ? 'warn' : 'ok' }
  if (!standing && !risk) return { ...done, message: ctx.t('flag_none', { score: total }) }
  const told = ctx.t(risk ? 'flag_saved' : 'flag_cleared', { score: total })
  return { ...done, writes: [standing ? changed(ctx, standing, total, risk) : raised(ctx, total)], message: told }
}

function raised(ctx, total) {
  const resource = {
    resourceType: 'Flag',
    status: 'active',
    category: SAFETY,
    code: { text: `MST ${total}` },
    subject: { reference: ctx.patient },
    period: { start: ctx.now },
    author: author(ctx),
  }
  return { action: 'create', resource }
}

function changed(ctx, flag, total, risk) {
  const period = risk ? { start: ctx.now } : { ...(flag.period || {}), end: ctx.now }
  const resource = { ...flag, status: risk ? 'active' : 'inactive', code: { text: `MST ${total}` }, period, author: author(ctx) }
  return { action: 'update', resource, if_match: String((flag.meta || {}).versionId || '') }
}

// --- words -------------------------------------------------------------------------------------------------

function author(ctx) {
  return { reference: ctx.user.reference, display: ctx.user.display }
}

/** One decimal at most, with a comma. */
function number(value) {
  return String(Math.round(value * 10) / 10).replace('.', ',')
}

function signed(value) {
  return `${value < 0 ? '−' : '+'}${number(Math.abs(value))}`
}

module.exports = { draw, saveScreen, saveWeight }

if (require.main === module) {
  run({
    id: 'solstrand.weight',
    version: '1.0.0',
    views: { weight: { queries: [WEIGHTS, FLAGS], draw } },
    actions: { saveWeight, saveScreen },
  })
}
