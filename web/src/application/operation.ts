// SPDX-License-Identifier: Apache-2.0

import type { Application, Node } from '../api'

export type OperationState = NonNullable<NonNullable<Application['status']>['operationState']>
export type Result = NonNullable<NonNullable<NonNullable<OperationState['syncResult']>['resources']>[number]>

/** How a step of an operation stands. */
export type Stand = 'done' | 'going' | 'failed' | 'skipped' | 'next'

/** What was done, or is to be done, with one object. */
export interface Act {
  id: string
  kind: string
  namespace: string
  name: string
  /** The word for it: what happened. */
  word: string
  message: string
  hook: string
  stand: Stand
}

/** The objects of one phase and wave, which are done together. */
export interface Step {
  key: string
  phase: string
  wave: number
  stand: Stand
  acts: Act[]
}

const phases = ['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreDelete', 'PostDelete']

/** Whether an operation is under way. */
export function going(phase: string | undefined): boolean {
  return phase === 'Running' || phase === 'Terminating'
}

/**
 * The steps of an operation: what has a result, by phase and wave in their order, and, while it is under way, what is still out of
 * sync and not begun.
 */
export function stepsOf(state: OperationState | undefined, nodes: Node[]): Step[] {
  if (!state) return []
  const byID = new Map(nodes.map((node) => [node.id, node]))
  const steps = new Map<string, Step>()
  const begun = new Set<string>()
  for (const result of state.syncResult?.resources ?? []) {
    if (!result) continue
    const act = actOf(result, going(state.phase))
    begun.add(act.id)
    put(steps, result.syncPhase || result.hookType || 'Sync', byID.get(act.id)?.wave ?? 0, act)
  }
  if (state.phase === 'Running') {
    for (const node of nodes) if (ahead(node, begun, state)) put(steps, 'Sync', node.wave ?? 0, upcoming(node))
  }
  return [...steps.values()].map(settled).sort(byOrder)
}

function put(steps: Map<string, Step>, phase: string, wave: number, act: Act) {
  const key = `${phase} ${wave}`
  const step = steps.get(key) ?? { key, phase, wave, stand: 'done', acts: [] }
  step.acts.push(act)
  steps.set(key, step)
}

function settled(step: Step): Step {
  const worst = (['failed', 'going', 'next', 'done', 'skipped'] as Stand[]).find((s) =>
    step.acts.some((a) => a.stand === s),
  )
  const begun = step.acts.some((act) => act.stand === 'done' || act.stand === 'going')
  step.stand = worst === 'next' && begun ? 'going' : (worst ?? 'done')
  step.acts.sort((a, b) => order(a.stand) - order(b.stand))
  return step
}

function order(stand: Stand): number {
  return ['failed', 'going', 'skipped', 'next', 'done'].indexOf(stand)
}

function byOrder(a: Step, b: Step): number {
  return phases.indexOf(a.phase) - phases.indexOf(b.phase) || a.wave - b.wave
}

function actOf(result: Result, running: boolean): Act {
  const { group = '', kind = '', namespace = '', name = '' } = result
  const [word, stand] = outcome(result, running)
  const id = `${group}/${kind}/${namespace}/${name}`
  return { id, kind, namespace, name, word, stand, message: result.message ?? '', hook: result.hookType ?? '' }
}

function outcome(result: Result, running: boolean): [string, Stand] {
  switch (result.status) {
    case 'SyncFailed':
      return ['failed', 'failed']
    case 'PruneSkipped':
      return ['not deleted', 'skipped']
  }
  switch (result.hookPhase) {
    case 'Failed':
    case 'Error':
      return ['failed', 'failed']
    case 'Running':
      return running ? [result.hookType ? 'running' : 'getting ready', 'going'] : ['not waited for', 'skipped']
    case 'Terminating':
      return ['being ended', 'going']
  }
  if (result.status === 'Pruned') return ['deleted', 'done']
  return [result.hookType ? 'has run' : 'applied', 'done']
}

function ahead(node: Node, begun: Set<string>, state: OperationState): boolean {
  if (!node.managed || node.sync !== 'OutOfSync' || begun.has(node.id)) return false
  if (node.sharedWith || node.confirm) return false
  if (node.prune && !state.operation?.sync?.prune) return false
  const chosen = state.operation?.sync?.resources ?? []
  return (
    chosen.length === 0 ||
    chosen.some((c) => c.kind === node.kind && c.name === node.name && (!c.namespace || c.namespace === node.namespace))
  )
}

function upcoming(node: Node): Act {
  const { id, kind, namespace = '', name } = node
  return {
    id,
    kind,
    namespace,
    name,
    word: node.prune ? 'to be deleted' : 'to come',
    message: '',
    hook: '',
    stand: 'next',
  }
}

/** Who or what began an operation. */
export function begunBy(state: OperationState): string {
  const by = state.operation?.initiatedBy
  if (by?.automated) return 'automated sync'
  return by?.username || 'somebody'
}

/** What the operation is, in a word: a sync, or what kind of one. */
export function operationName(state: OperationState): string {
  const sync = state.operation?.sync
  if (sync?.dryRun) return 'Dry run'
  if ((sync?.resources ?? []).length > 0) return 'Sync of some objects'
  return 'Sync'
}
