// SPDX-License-Identifier: Apache-2.0

import { type ApiError, type Application, call, errorOf, type Plan } from '../api'
import { getApplication, rightOf, sync, windows } from './asks'
import { planQueryOf, type SyncChoice } from './choice'
import { flowOf, losses, type Work } from './flow'
import { running } from './held'
import { paced } from './pace'
import { keyOf, type Target } from './target'
import { askPlan } from './useplan'

/** One application of a sync of many. */
export interface Line {
  target: Target
  app?: Application
  may?: boolean
  override?: boolean
  /** Whether sync windows let a person sync it now. */
  open?: boolean
  plan?: Plan
  /** Why it is not known how it stands, or what a sync would do. */
  error?: ApiError
  /** Left out by the one who asks. */
  unchecked?: boolean
  outcome?: Outcome
}

/** What became of the sync of one application. */
export interface Outcome {
  phase: 'asking' | 'refused' | 'Running' | 'Terminating' | 'Succeeded' | 'Failed' | 'Error'
  message: string
}

/** Why an application takes no part; "" if it does. */
export function leftOut(line: Line, choice: SyncChoice): string {
  if (line.error && !line.app) return `it is not known how it stands: ${line.error.message}`
  if (!line.app) return ''
  if (line.may === false) return 'you have no right to sync it'
  if (line.app.metadata?.deletionTimestamp) return 'it is being deleted'
  if (running(line.app)) return 'an operation of it is under way'
  if (line.open === false && !line.override) return 'a sync window of its project is closed'
  if (line.open === false && !choice.override.trim()) {
    return 'a sync window of its project is closed: say why it is passed to take it along'
  }
  return ''
}

/** Whether an application is synced if the button is pressed. One whose plan failed is not: nobody saw what it would do. */
export function takesPart(line: Line, choice: SyncChoice): boolean {
  return Boolean(line.app && line.plan) && !line.error && !line.unchecked && leftOut(line, choice) === ''
}

/** What a sync of many takes away for good, each with its application. */
export function bulkLosses(lines: Line[], choice: SyncChoice): string[] {
  if (choice.dryRun) return []
  return lines
    .filter((line) => takesPart(line, choice))
    .flatMap((line) => losses(flowOf(line.plan?.work as Work)).map((what) => `${what} of ${line.target.name}`))
}

/** How many of the lines stand where. */
export function tally(lines: Line[], choice: SyncChoice) {
  const out = { looked: 0, part: 0, out: 0, done: 0, failed: 0, under: 0 }
  for (const line of lines) {
    if (line.plan || line.error || leftOut(line, choice)) out.looked++
    if (takesPart(line, choice)) out.part++
    else if (line.error || leftOut(line, choice)) out.out++
    const phase = line.outcome?.phase
    if (phase === 'Succeeded') out.done++
    else if (phase === 'Failed' || phase === 'Error' || phase === 'refused') out.failed++
    else if (phase) out.under++
  }
  return out
}

type Update = (target: Target, change: Partial<Line>) => void

/** Learns of each application how it stands and what one may do with it. */
export async function look(targets: Target[], signal: AbortSignal, update: Update) {
  await paced(targets, signal, async (target) => {
    try {
      const app = await getApplication(target, signal)
      const [rights, window] = await Promise.all([
        call(
          'get',
          '/api/bowline/v1/may',
          { query: { rights: [rightOf(app, 'sync'), rightOf(app, 'override')] } },
          signal,
        ),
        windows(target, signal),
      ])
      const [may = false, override = false] = rights.allowed ?? []
      update(target, { app, may, override, open: window.canSync ?? false, error: undefined })
    } catch (thrown) {
      if (!signal.aborted) update(target, { error: errorOf(thrown) })
    }
  })
}

/** Plans the sync of each application that may take part. */
export async function planAll(lines: Line[], choice: SyncChoice, signal: AbortSignal, update: Update) {
  const able = lines.filter((line) => line.app && line.may)
  await paced(able, signal, async (line) => {
    try {
      const plan = await askPlan(line.target, planQueryOf(choice, line.app as Application), signal)
      update(line.target, { plan, error: undefined })
    } catch (thrown) {
      if (!signal.aborted) update(line.target, { plan: undefined, error: errorOf(thrown) })
    }
  })
}

/** How often an operation under way is looked at. */
const lookEvery = 1_500

/** Asks for the syncs, a few at a time; those that began are followed to their end, or until the signal says so. */
export async function syncAll(lines: Line[], choice: SyncChoice, follow: AbortSignal, update: Update) {
  // What was asked for is not taken back by closing the dialog: only looking on ends with it.
  const begun: Line[] = []
  await paced(lines, new AbortController().signal, async (line) => {
    update(line.target, { outcome: { phase: 'asking', message: '' } })
    try {
      const app = await sync(line.target, choice, line.app as Application)
      begun.push({ ...line, app })
      update(line.target, { outcome: { phase: 'Running', message: 'asked for' } })
    } catch (thrown) {
      update(line.target, { outcome: { phase: 'refused', message: errorOf(thrown).message } })
    }
  })
  let open = begun
  while (open.length > 0 && !follow.aborted) {
    await new Promise((resolve) => setTimeout(resolve, lookEvery))
    const ended = new Set<string>()
    await paced(open, follow, async (line) => {
      const outcome = outcomeOf(await getApplication(line.target, follow), line.app as Application)
      update(line.target, { outcome })
      if (outcome.phase !== 'Running' && outcome.phase !== 'Terminating') ended.add(keyOf(line.target))
    })
    open = open.filter((line) => !ended.has(keyOf(line.target)))
  }
}

/** How the operation stands that was asked for when the application was as before. */
export function outcomeOf(now: Application, before: Application): Outcome {
  const state = now.status?.operationState
  const old = before.status?.operationState
  if (now.operation || !state || state.startedAt === old?.startedAt)
    return { phase: 'Running', message: 'waits for its turn' }
  const phases: Outcome['phase'][] = ['Running', 'Terminating', 'Succeeded', 'Failed', 'Error']
  return { phase: phases.find((phase) => phase === state.phase) ?? 'Running', message: state.message ?? '' }
}
