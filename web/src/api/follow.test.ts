// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { session } from '../session/signal'
import { follow, type Standing } from './follow'

/** What the server answers, one after the other: lines of a stream, or a refusal. */
type Answer = { lines: unknown[]; open?: boolean } | { status: number; body: unknown }

let listeners: Map<string, () => void>
let hidden: boolean
let asked: number

function serve(answers: Answer[]) {
  vi.stubGlobal('fetch', (_: string, init: { signal: AbortSignal }) => {
    const answer = answers[Math.min(asked++, answers.length - 1)]!
    if ('status' in answer) return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status }))
    const body = new ReadableStream({
      start(controller) {
        for (const line of answer.lines) controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`))
        if (answer.open)
          init.signal.addEventListener('abort', () => controller.error(new DOMException('', 'AbortError')))
        else controller.close()
      },
    })
    return Promise.resolve(new Response(body))
  })
}

function begin(): { heard: unknown[]; standings: Standing[]; stop: () => void } {
  const heard: unknown[] = []
  const standings: Standing[] = []
  const stop = follow({
    path: '/api/bowline/v1/stream/applications',
    request: {},
    begin: () => heard.push('begin'),
    each: (element) => heard.push(element),
    standing: (now) => standings.push(now),
  })
  return { heard, standings, stop }
}

beforeEach(() => {
  vi.useFakeTimers()
  listeners = new Map()
  hidden = false
  asked = 0
  const listen = {
    addEventListener: (name: string, f: () => void) => listeners.set(name, f),
    removeEventListener: (name: string) => listeners.delete(name),
  }
  vi.stubGlobal('document', {
    baseURI: 'https://cd.example.com/',
    get hidden() {
      return hidden
    },
    ...listen,
  })
  vi.stubGlobal('addEventListener', listen.addEventListener)
  vi.stubGlobal('removeEventListener', listen.removeEventListener)
  session.value = { is: 'in', username: 'admin', issuer: 'argocd', groups: [] }
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const settle = () => vi.advanceTimersByTimeAsync(0)

test('elements are told as they come, and that it is live once', async () => {
  serve([{ lines: [{ result: 1 }, { result: 2 }, {}], open: true }])
  const { heard, standings, stop } = begin()
  await settle()
  expect(heard).toEqual(['begin', 1, 2])
  expect(standings.map((s) => s.is)).toEqual(['connecting', 'live'])
  stop()
  expect(listeners.size).toBe(0)
})

test('a stream that breaks off is taken up again from its beginning, and what was shown is called old meanwhile', async () => {
  serve([
    { lines: [{ result: 1 }] },
    { status: 503, body: { message: 'starting', details: [{ kind: 'wait' }] } },
    { lines: [{ result: 2 }], open: true },
  ])
  const { heard, standings, stop } = begin()
  await settle()
  expect(standings.at(-1)).toMatchObject({ is: 'lost', since: Date.now() })
  const since = Date.now()
  await vi.advanceTimersByTimeAsync(700)
  expect(standings.at(-1)).toMatchObject({ is: 'lost', since, error: { message: 'starting' } })
  await vi.advanceTimersByTimeAsync(1300)
  expect(standings.at(-1)).toEqual({ is: 'live' })
  expect(heard).toEqual(['begin', 1, 'begin', 2])
  stop()
})

test('what is refused is not asked for again and again', async () => {
  serve([{ status: 403, body: { message: 'permission denied', code: 7, details: [{ kind: 'forbidden' }] } }])
  const { standings, stop } = begin()
  await settle()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toBe(1)
  expect(standings.at(-1)).toMatchObject({ is: 'refused', error: { message: 'permission denied' } })
  expect(session.value.is).toBe('in')
  stop()
})

test('a session that ends while the stream is open leads to signing in', async () => {
  serve([{ lines: [{ result: 1 }, { error: { message: 'no valid session; sign in', http_code: 401 } }] }])
  const { stop } = begin()
  await settle()
  expect(session.value.is).toBe('out')
  stop()
})

test('nobody looks: the connection is let go of, and taken up when somebody does', async () => {
  serve([{ lines: [{ result: 1 }], open: true }])
  const { heard, stop } = begin()
  await settle()
  hidden = true
  listeners.get('visibilitychange')?.()
  await vi.advanceTimersByTimeAsync(30_000)
  expect(asked).toBe(1)
  hidden = false
  listeners.get('visibilitychange')?.()
  await settle()
  expect(asked).toBe(2)
  expect(heard).toEqual(['begin', 1, 'begin', 1])
  stop()
})

test('without a network nothing is live, at once', async () => {
  serve([{ lines: [{ result: 1 }], open: true }])
  const { standings, stop } = begin()
  await settle()
  listeners.get('offline')?.()
  expect(standings.at(-1)).toMatchObject({ is: 'lost', error: { message: 'there is no network' } })
  listeners.get('online')?.()
  await settle()
  expect(standings.at(-1)).toEqual({ is: 'live' })
  stop()
})
