// SPDX-License-Identifier: Apache-2.0

import type { QueryChange } from '../../route/query'
import type { AppName, Target } from '../target'

/** What of which logs is shown, and how. It is all in the address. */
export interface LogOptions {
  /** A pod, or '' for all that came of the object. */
  pod: string
  /** A container, or '' for all but init containers. */
  container: string
  follow: boolean
  previous: boolean
  /** Seconds back, or 0 for all there is. */
  since: number
  /** The last lines of each container. */
  tail: number
  /** Lines that hold this text, or, inverted, that do not. */
  filter: string
  invert: boolean
  matchCase: boolean
  find: string
  wrap: boolean
  timestamps: boolean
}

const tails = [100, 500, 2_000, 10_000]
const usual = 500

/** How many lines to begin with can be chosen. */
export const tailChoices = tails.map((n) => ({ value: String(n), label: `last ${n.toLocaleString('en')} lines` }))

/** Since when can be chosen. */
export const sinceChoices = [
  { value: '0', label: 'any time' },
  { value: '60', label: 'last minute' },
  { value: '300', label: 'last 5 minutes' },
  { value: '3600', label: 'last hour' },
  { value: '86400', label: 'last day' },
]

const prefix = 'log-'

/** The options that an address has. What makes no sense counts as not said. */
export function optionsOf(query: URLSearchParams): LogOptions {
  const text = (name: string) => query.get(prefix + name) ?? ''
  const number = (name: string, otherwise: number) => {
    const value = Number(text(name))
    return Number.isSafeInteger(value) && value > 0 ? value : otherwise
  }
  const previous = text('previous') === 'yes'
  return {
    pod: text('pod'),
    container: text('container'),
    follow: !previous && text('follow') !== 'no',
    previous,
    since: number('since', 0),
    tail: Math.min(number('tail', usual), tails.at(-1)!),
    filter: text('filter'),
    invert: text('invert') === 'yes',
    matchCase: text('case') === 'yes',
    find: text('find'),
    wrap: text('wrap') === 'yes',
    timestamps: text('times') === 'yes',
  }
}

/** The change of the address that a change of options is. */
export function changeOf(change: Partial<LogOptions>): QueryChange {
  const names: Partial<Record<keyof LogOptions, string>> = { matchCase: 'case', timestamps: 'times' }
  const out: QueryChange = {}
  for (const [name, value] of Object.entries(change)) {
    const key = prefix + (names[name as keyof LogOptions] ?? name)
    if (name === 'follow') out[key] = value ? undefined : 'no'
    else if (typeof value === 'boolean') out[key] = value ? 'yes' : undefined
    else out[key] = value === 0 ? undefined : String(value)
  }
  return out
}

/** The query of the API for logs of an object. */
export function logQuery(app: AppName, target: Target, options: LogOptions) {
  const pod = target.kind === 'Pod' && !target.group ? target.name : options.pod
  return {
    appNamespace: app.namespace,
    namespace: target.namespace,
    ...(pod ? { podName: pod } : { group: target.group, kind: target.kind, resourceName: target.name }),
    container: options.container,
    follow: options.follow,
    previous: options.previous,
    ...(options.since > 0 && { sinceSeconds: options.since }),
    tailLines: options.tail,
    filter: options.filter && (options.invert ? '!' : '') + options.filter,
    matchCase: options.matchCase,
  }
}

/** What to type on the command line for the same log. */
export function logCommand(app: string, target: Target, options: LogOptions): string[] {
  const pod = target.kind === 'Pod' && !target.group ? target.name : options.pod
  const [group, kind, name] = pod ? ['', 'Pod', pod] : [target.group, target.kind, target.name]
  return [
    'app',
    'logs',
    app,
    ...(group ? ['--group', group] : []),
    '--kind',
    kind,
    '--name',
    name,
    ...(target.namespace ? ['--resource-namespace', target.namespace] : []),
    ...(options.container ? ['--container', options.container] : []),
    ...(options.follow ? ['--follow'] : []),
    ...(options.previous ? ['--previous'] : []),
    ...(options.since > 0 ? ['--since-seconds', String(options.since)] : []),
    '--tail',
    String(options.tail),
    ...(options.filter ? ['--filter', (options.invert ? '!' : '') + options.filter] : []),
    ...(options.filter && options.matchCase ? ['--match-case'] : []),
  ]
}
