// The panel protocol, version 1, in plain Node.js: lines of JSON-RPC in and out (docs/panel-protocol.md).
// Knows nothing of what the panel shows. `run` takes the views, the actions and the id and version of panel.toml.
'use strict'

const fs = require('node:fs')
const path = require('node:path')

const PROTOCOL = 1

/** Throw it in an action to tell the user, in words, why it cannot be done. Nothing is then written. */
class Problem extends Error {}

function run(panel) {
  const open = new Map() // instance id → Instance
  const asked = new Map() // our request's id → what to do with its answer
  let rest = Buffer.alloc(0)
  let number = 0
  let locale = 'nb'

  function send(message, done) {
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n', done)
  }

  function request(method, params, answered) {
    number += 1
    asked.set(number, answered)
    send({ id: number, method, params })
  }

  process.stdin.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString('utf8')
      rest = rest.subarray(end + 1)
      if (line.trim()) take(JSON.parse(line))
    }
    // What came together is drawn together: once, when all of it has been read.
    for (const instance of open.values()) instance.draw()
  })
  process.stdin.on('end', () => process.exit(0))

  function take(message) {
    const { id, method, params = {} } = message
    if (method === undefined) {
      const answered = asked.get(id)
      asked.delete(id)
      if (answered) answered(message)
      return
    }
    const handler = handlers[method]
    if (handler === undefined) {
      // An unknown notification comes from a newer shell and is not ours to mind.
      if (id !== undefined) refuse(id, -32601, 'method-not-found', `unknown method ${method}`)
      return
    }
    try {
      const result = handler(params)
      if (id !== undefined) send({ id, result: result === undefined ? null : result }, method === 'shutdown' ? () => process.exit(0) : undefined)
    } catch (error) {
      if (error instanceof Problem) {
        refuse(id, -32000, 'panel-error', error.message)
      } else if (error instanceof Ended) {
        refuse(id, -32010, 'context-changed', 'the context has ended')
      } else {
        process.stderr.write(`${error.stack}\n`)
        refuse(id, -32603, 'internal-error', 'Panelet klarte ikke dette. Ingenting er lagret.')
      }
    }
  }

  function refuse(id, code, name, message) {
    if (id !== undefined) send({ id, error: { code, message, data: { name } } })
  }

  function find(params) {
    const instance = open.get(params.instance)
    if (instance === undefined || instance.token !== params.context) throw new Ended()
    return instance
  }

  /** For notifications: what is for an ended context is dropped. */
  function known(params, use) {
    const instance = open.get(params.instance)
    if (instance !== undefined && instance.token === params.context) use(instance)
  }

  const handlers = {
    initialize(params) {
      locale = params.locale || 'nb'
      return { name: panel.id, version: panel.version, views: Object.keys(panel.views), protocol: PROTOCOL }
    },
    open(params) {
      open.set(params.instance, new Instance(panel, params, locale, send, request))
    },
    close(params) {
      find(params)
      open.delete(params.instance)
    },
    data: (params) => known(params, (instance) => instance.data(params)),
    event(params) {
      const instance = find(params)
      instance.typed(params.state ? params.state.values : {})
      const action = panel.actions[params.action.name]
      if (action === undefined) {
        throw new Problem(`unknown action ${params.action.name}`)
      }
      return { revision: params.state ? params.state.revision : 0, ...action(instance.ctx(), params.action.args || {}) }
    },
    'state/changed': (params) => known(params, (instance) => instance.typed(params.values)),
    'settings/changed': (params) =>
      known(params, (instance) => {
        instance.settings = params.settings || {}
        instance.locale = params.locale || 'nb'
        instance.dirty = true
      }),
    ask(params) {
      find(params)
      return {}
    },
    resync: (params) =>
      known(params, (instance) => {
        instance.tree = null
        instance.dirty = true
      }),
    visible: (params) => known(params, (instance) => (instance.visible = true)),
    hidden: (params) => known(params, (instance) => (instance.visible = false)),
    cancel() {}, // actions here are over before a cancel can be read
    ping() {},
    shutdown() {},
  }
}

class Ended extends Error {}

/** One open view: its context, its results, what is typed, and the tree drawn last. */
class Instance {
  constructor(panel, params, locale, send, request) {
    this.view = panel.views[params.view]
    this.address = { instance: params.instance, context: params.context.token }
    this.token = params.context.token
    this.context = params.context
    this.settings = params.settings || {}
    this.locale = locale
    this.values = { ...((params.state || {}).values || {}) }
    this.started = Date.now()
    this.send = send
    this.revision = 0
    this.tree = null
    this.dirty = true
    this.visible = true
    this.results = new Map((params.results || []).map((one) => [one.query, held(one)]))
    for (const query of this.view.queries) {
      if (!this.results.has(query)) {
        this.results.set(query, { rows: [], ready: false, error: '', watch: undefined })
        request('watch', { ...this.address, query }, (answer) => this.watching(query, answer))
      }
    }
  }

  watching(query, answer) {
    const result = this.results.get(query)
    if (answer.error) result.error = answer.error.message || 'Svaret kom ikke.'
    else result.watch = answer.result.watch
    this.dirty = true
    this.draw()
  }

  data(params) {
    const result = [...this.results.values()].find((one) => one.watch === params.watch)
    if (result === undefined) return
    if (params.whole) {
      result.parts = [...(result.parts || []), ...(params.whole.resources || [])]
      if (params.more) return
      Object.assign(result, { rows: result.parts, ready: !params.whole.error, error: params.whole.error || '', parts: undefined })
    } else {
      const gone = new Set([...(params.gone || []), ...(params.put || []).map(([, row]) => reference(row))])
      result.rows = result.rows.filter((row) => !gone.has(reference(row)))
      for (const [index, row] of params.put || []) result.rows.splice(index, 0, row)
      result.error = params.error || ''
    }
    this.dirty = true
  }

  typed(values) {
    for (const [bind, value] of Object.entries(values || {})) {
      if (value === null) delete this.values[bind]
      else this.values[bind] = value
    }
    this.dirty = true
  }

  /** What views and actions see: made anew for each, and of no use after it. */
  ctx() {
    return {
      patient: this.context.patient || '',
      patients: this.context.patients || [],
      user: this.context.user || {},
      now: instant(this.context.now, Date.now() - this.started),
      locale: this.locale,
      settings: this.settings,
      values: this.values,
      result: (query) => this.results.get(query),
      t: (key, values) => word(this.locale, key, values),
    }
  }

  draw() {
    if (!this.dirty || !this.visible) return
    this.dirty = false
    let tree
    try {
      tree = this.view.draw(this.ctx())
    } catch (error) {
      process.stderr.write(`${error.stack}\n`)
      tree = node('root', 'column', {}, [node('failed', 'failed', { text: 'Panelet klarte ikke å vise dette.' })])
    }
    const patch = this.tree === null ? null : changes(this.tree, tree)
    if (patch !== null && patch.length === 0) return
    const base = this.revision
    this.revision += 1
    this.tree = tree
    const what = patch === null ? { tree } : { base, patch }
    this.send({ method: 'render', params: { ...this.address, revision: this.revision, ...what } })
  }
}

function held(result) {
  return { rows: result.resources || [], ready: !result.error, error: result.error || '', watch: result.watch }
}

function reference(row) {
  return `${row.resourceType}/${row.id}`
}

/** A component. Ids are the panel's own and stay the same from render to render. Empty properties are left out. */
function node(id, type, props = {}, children = []) {
  const kept = Object.fromEntries(Object.entries(props).filter(([, value]) => value !== '' && value !== null && value !== undefined))
  return { id, type, props: kept, children: children.filter(Boolean) }
}

/** Operations that lead from one tree to another of the same shape; null when the shape has changed. */
function changes(before, after) {
  if (before.id !== after.id || before.type !== after.type || before.children.length !== after.children.length) return null
  const found = []
  const props = {}
  for (const [name, value] of Object.entries(after.props)) {
    if (JSON.stringify(value) !== JSON.stringify(before.props[name])) props[name] = value
  }
  const unset = Object.keys(before.props).filter((name) => !(name in after.props))
  if (Object.keys(props).length || unset.length) found.push({ op: 'props', id: after.id, props, unset })
  for (let index = 0; index < after.children.length; index += 1) {
    const inner = changes(before.children[index], after.children[index])
    if (inner === null) return null
    found.push(...inner)
  }
  return found
}

/** `now` moved on by some milliseconds, in the same offset: 2026-01-14T14:45:03+01:00. */
function instant(now, passed) {
  const zone = /(Z|[+-]\d\d:\d\d)$/.exec(now)[0]
  const minutes = zone === 'Z' ? 0 : (zone[0] === '-' ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)))
  const local = new Date(Date.parse(now) + passed + minutes * 60000)
  return local.toISOString().slice(0, 19) + zone
}

const words = new Map()

/** A text of texts/<locale>.toml, else of bokmål; {name} is filled in from `values`. */
function word(locale, key, values = {}) {
  const known = [locale, locale.split('-')[0], 'nb'].map(language).find((texts) => texts[key] !== undefined)
  const text = known === undefined ? key : known[key]
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all))
}

/** The file is plain: one `key = "text"` a line, which is all that this reads of TOML. */
function language(locale) {
  if (!words.has(locale)) {
    const texts = {}
    const file = path.join(__dirname, 'texts', `${locale.replace(/[^A-Za-z0-9-]/g, '')}.toml`)
    if (fs.existsSync(file)) {
      for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
        const found = /^\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*")\s*$/.exec(line)
        if (found) texts[found[1]] = JSON.parse(found[2])
      }
    }
    words.set(locale, texts)
  }
  return words.get(locale)
}

/** A number, also of a text with a decimal comma; null for what is none. */
function decimal(value) {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'string' || !/^-?\d+([.,]\d+)?$/.test(value.trim())) return null
  return Number(value.trim().replace(',', '.'))
}

module.exports = { Problem, decimal, node, run }
