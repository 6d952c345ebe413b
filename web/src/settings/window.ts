// SPDX-License-Identifier: Apache-2.0

import { nextStart, offsetOf, parseLength, parseSchedule } from './cron'
import { items, type SyncWindow } from './types'

/** How a window stands at a time. */
export type WindowState =
  /** Without an end where starts follow each other for longer than anybody plans for. */
  | { is: 'active'; until?: number }
  | { is: 'waiting'; from: number }
  | { is: 'never' }
  | { is: 'unreadable'; why: string }

/** Whether a window is active, until when, and if not when it will be. */
export function windowState(w: SyncWindow, now: number): WindowState {
  const length = parseLength(w.duration ?? '')
  if (length === undefined) return { is: 'unreadable', why: `“${w.duration ?? ''}” is no length of time such as 1h30m` }
  try {
    const schedule = parseSchedule(w.schedule ?? '')
    const offset = offsetOf(w.timeZone, now)
    // The last start within its length, if there was one: the window is active from it on.
    let start = nextStart(schedule, now - length, offset)
    if (start === undefined) return { is: 'never' }
    if (start > now) return { is: 'waiting', from: start }
    let until = start + length
    for (let n = 0; n < 50_000; n++) {
      start = nextStart(schedule, start, offset)
      if (start === undefined || start > until) return { is: 'active', until }
      until = start + length
      if (until - now > 32 * 86_400_000) break
    }
    return { is: 'active' }
  } catch (thrown) {
    return { is: 'unreadable', why: (thrown as Error).message }
  }
}

/** What a window is about, for people: all has to match with andOperator, else any. */
export function aboutWords(w: SyncWindow): string {
  const list = (noun: string, patterns: string[]) =>
    patterns.length === 0 ? [] : [patterns.includes('*') ? `all ${noun}` : `${noun} ${patterns.join(', ')}`]
  const parts = [
    ...list('applications', items(w.applications)),
    ...list('namespaces', items(w.namespaces)),
    ...list('clusters', items(w.clusters)),
  ]
  return parts.length === 0 ? 'nothing' : parts.join(w.andOperator ? ' and ' : ' or ')
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** When a window begins and how long it is, in words where the schedule is a simple one. */
export function whenWords(w: SyncWindow): string {
  const zone = w.timeZone || 'UTC'
  const tail = `for ${w.duration || '?'} (${zone})`
  const [minute = '', hour = '', day, month, weekday = ''] = (w.schedule ?? '').trim().split(/\s+/)
  if (!/^\d{1,2}$/.test(minute) || !/^\d{1,2}$/.test(hour) || day !== '*' || month !== '*') {
    return `at “${w.schedule ?? ''}” ${tail}`
  }
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
  if (weekday === '*') return `every day at ${time} ${tail}`
  if (/^(1-5|mon-fri)$/i.test(weekday)) return `Monday to Friday at ${time} ${tail}`
  if (/^[0-6]$/.test(weekday)) return `every ${weekdays[Number(weekday)]} at ${time} ${tail}`
  return `at “${w.schedule ?? ''}” ${tail}`
}

/** What is wrong with a window, by field. */
export function windowProblems(
  w: SyncWindow,
): Partial<Record<'kind' | 'schedule' | 'duration' | 'about' | 'timeZone', string>> {
  const out: ReturnType<typeof windowProblems> = {}
  if (w.kind !== 'allow' && w.kind !== 'deny') out.kind = 'Choose allow or deny'
  try {
    parseSchedule(w.schedule ?? '')
  } catch (thrown) {
    out.schedule = (thrown as Error).message
  }
  if (parseLength(w.duration ?? '') === undefined) out.duration = 'Write a length of time such as 8h or 1h30m'
  const about = [...items(w.applications), ...items(w.namespaces), ...items(w.clusters)]
  if (about.length === 0) out.about = 'Name applications, namespaces or clusters; * is all of them'
  if (w.timeZone && !isZone(w.timeZone)) out.timeZone = 'Nobody knows this time zone: UTC would count'
  return out
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** What to type on the command line to add a window. */
export function addWindowCommand(project: string, w: SyncWindow): string[] {
  const list = (flag: string, values: string[]) => (values.length > 0 ? [flag, values.join(',')] : [])
  return [
    ...['proj', 'windows', 'add', project, '--kind', w.kind ?? '', '--schedule', w.schedule ?? '', '--duration'],
    w.duration ?? '',
    ...(w.timeZone && w.timeZone !== 'UTC' ? ['--time-zone', w.timeZone] : []),
    ...list('--applications', items(w.applications)),
    ...list('--namespaces', items(w.namespaces)),
    ...list('--clusters', items(w.clusters)),
    ...(w.andOperator ? ['--use-and-operator'] : []),
    ...(w.manualSync ? ['--manual-sync'] : []),
    ...(w.syncOverrun ? ['--sync-overrun'] : []),
    ...(w.description ? ['--description', w.description] : []),
  ]
}

/** What to type on the command line to change the window that stands at a place of the list. */
export function updateWindowCommand(project: string, at: number, w: SyncWindow): string[] {
  const [, , , , , , ...flags] = addWindowCommand(project, w)
  const known = flags.filter((flag) => !['--use-and-operator', '--manual-sync', '--sync-overrun'].includes(flag))
  return ['proj', 'windows', 'update', project, String(at), ...known]
}
