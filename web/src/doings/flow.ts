// SPDX-License-Identifier: Apache-2.0

import type { Application } from '../api'

// The plan of a sync as a graph: phases in order, in each its waves, in each what is done. Its JSON is made by internal/plan/view.go.

export interface Step {
  action: 'create' | 'apply' | 'keep' | 'prune' | 'skip' | 'refuse' | 'run'
  group?: string
  version?: string
  kind: string
  namespace?: string
  name: string
  source?: string
  waiting?: boolean
  reason?: string
  how?: string[]
  hook?: { type: string; deletePolicies?: string[]; generated?: boolean }
}

interface Wave {
  number: number
  steps?: Step[] | null
  awaits?: string[] | null
}

interface Phase {
  name: string
  waves?: Wave[] | null
}

/** The work of a plan. */
export interface Work {
  digest?: string
  summary?: string
  namespace?: string
  phases?: Phase[] | null
  onFailure?: Phase | null
  partial?: boolean
  approval?: string
  conditions?: { type?: string; message?: string }[] | null
  notes?: string[] | null
}

/** What becomes of an object, for people: of a step, or of several of them. */
export type Doing = 'create' | 'apply' | 'same' | 'keep' | 'prune' | 'wait' | 'skip' | 'refuse' | 'run' | 'replace'

/** Steps of one kind with one doing, which stand together in a wave. */
export interface Bundle {
  doing: Doing
  kind: string
  group: string
  steps: Step[]
}

/** A column of the graph. */
export interface Column {
  key: string
  phase: string
  wave: number
  bundles: Bundle[]
  awaits: string[]
}

/** A lane: phases that follow each other. */
export interface Lane {
  phase: string
  columns: Column[]
}

export interface Flow {
  lanes: Lane[]
  /** Carried out only if one of lanes fails. */
  onFailure: Lane | undefined
  namespace: string
  counts: Record<Doing, number>
  warnings: string[]
  notes: string[]
  empty: boolean
}

/**
 * What a step does, for people. To put in place of, or to delete and make anew, is another thing than to change; what is sent without
 * a field that differs is none. differing names what is out of sync, if that is known.
 */
export function doingOf(step: Step, differing?: ReadonlySet<string>): Doing {
  if (step.action === 'prune') return step.waiting ? 'wait' : 'prune'
  const how = step.how ?? []
  if (step.action === 'apply' && (how.includes('replace') || how.includes('force'))) return 'replace'
  if (step.action === 'apply' && differing && !differing.has(resourceText(step))) return 'same'
  return step.action
}

/** Whether a doing takes something away that was there. */
export function destructive(doing: Doing): boolean {
  return doing === 'prune' || doing === 'replace'
}

/** The graph of a plan. What stays as it is counts, and is no step of the graph. */
export function flowOf(work: Work | undefined | null, differing?: ReadonlySet<string>): Flow {
  const counts: Record<Doing, number> = {
    create: 0,
    apply: 0,
    same: 0,
    keep: 0,
    prune: 0,
    wait: 0,
    skip: 0,
    refuse: 0,
    run: 0,
    replace: 0,
  }
  const lanes = (work?.phases ?? [])
    .map((phase) => laneOf(phase, counts, differing))
    .filter((lane) => lane.columns.length > 0)
  const onFailure = work?.onFailure ? laneOf(work.onFailure, { ...counts }, differing) : undefined
  return {
    lanes,
    onFailure: onFailure && onFailure.columns.length > 0 ? onFailure : undefined,
    namespace: work?.namespace ?? '',
    counts,
    warnings: (work?.conditions ?? []).map((c) => c.message ?? c.type ?? '').filter(Boolean),
    notes: work?.notes ?? [],
    empty: lanes.length === 0,
  }
}

function laneOf(phase: Phase, counts: Record<Doing, number>, differing: ReadonlySet<string> | undefined): Lane {
  const columns: Column[] = []
  for (const wave of phase.waves ?? []) {
    const steps = wave.steps ?? []
    for (const step of steps) counts[doingOf(step, differing)]++
    const bundles = bundlesOf(
      steps.filter((step) => doingOf(step) !== 'keep'),
      differing,
    )
    if (bundles.length === 0) continue
    columns.push({
      key: `${phase.name}/${wave.number}/${columns.length}`,
      phase: phase.name,
      wave: wave.number,
      bundles,
      awaits: wave.awaits ?? [],
    })
  }
  return { phase: phase.name, columns }
}

/**
 * Neighbours of one kind and doing stand together: a wave of three hundred ConfigMaps is one line that opens. Hooks stand alone, and what
 * does not change comes behind. */
function bundlesOf(steps: Step[], differing: ReadonlySet<string> | undefined): Bundle[] {
  const out: Bundle[] = []
  const unchanged: Step[] = []
  for (const step of steps) {
    const doing = doingOf(step, differing)
    if (doing === 'same') {
      unchanged.push(step)
      continue
    }
    const last = out.at(-1)
    const same = last && last.doing === doing && last.kind === step.kind && last.group === (step.group ?? '')
    if (same && doing !== 'run') last.steps.push(step)
    else out.push({ doing, kind: step.kind, group: step.group ?? '', steps: [step] })
  }
  if (unchanged.length > 0) out.push({ doing: 'same', kind: '', group: '', steps: unchanged })
  return out
}

const words: [Doing, string, string][] = [
  ['run', 'hook', 'hooks'],
  ['create', 'to create', 'to create'],
  ['apply', 'to change', 'to change'],
  ['replace', 'to replace', 'to replace'],
  ['prune', 'to prune', 'to prune'],
  ['wait', 'waits for approval', 'wait for approval'],
  ['refuse', 'left to another application', 'left to another application'],
  ['skip', 'not pruned', 'not pruned'],
  ['same', 'unchanged', 'unchanged'],
  ['keep', 'as desired', 'as desired'],
]

/** The counts of a plan, for people, what is done first. */
export function countsOf(flow: Flow): { doing: Doing; text: string }[] {
  return words
    .filter(([doing]) => flow.counts[doing] > 0)
    .map(([doing, one, many]) => ({
      doing,
      text: `${flow.counts[doing]} ${flow.counts[doing] === 1 ? one : many}`,
    }))
}

/** What of an application is not as desired, by the names of steps. */
export function differingOf(app: Application): Set<string> {
  const out = new Set<string>()
  for (const resource of app.status?.resources ?? []) {
    if (!resource?.kind || resource.status === 'Synced') continue
    const { group, kind, namespace, name = '' } = resource
    out.add(resourceText({ action: 'apply', group, kind, namespace, name }))
  }
  return out
}

/** How a step names its object on the command line. */
export function resourceText(step: Step): string {
  const name = step.namespace ? `${step.namespace}/${step.name}` : step.name
  return `${step.group ?? ''}:${step.kind}:${name}`
}

/** Kinds that hold what no source can bring back, or take such along. */
const holders = new Set(['PersistentVolumeClaim', 'PersistentVolume', 'Namespace', 'CustomResourceDefinition'])

/** What a plan takes away that cannot be had back: by kind and name. */
export function losses(flow: Flow): string[] {
  const bundles = flow.lanes.flatMap((lane) => lane.columns.flatMap((column) => column.bundles))
  return bundles
    .filter((bundle) => destructive(bundle.doing) && holders.has(bundle.kind))
    .flatMap((bundle) => bundle.steps.map((step) => `${step.kind} ${step.name}`))
}
