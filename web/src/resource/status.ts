// SPDX-License-Identifier: Apache-2.0

/** How a container of a pod is doing. */
export interface ContainerState {
  name: string
  init: boolean
  /** In a word or a reason: Running, CrashLoopBackOff, Completed. */
  word: string
  tone: 'good' | 'bad' | 'warn' | 'busy' | 'dim'
  message: string
  restarts: number
  since: string | undefined
  /** Why it ended the last time, if it was started again. */
  before: string
}

/** A condition of an object's status. */
export interface Condition {
  type: string
  status: string
  reason: string
  message: string
  since: string | undefined
}

type Tree = { [field: string]: unknown }

function tree(of: unknown): Tree {
  return typeof of === 'object' && of !== null && !Array.isArray(of) ? (of as Tree) : {}
}

function text(of: unknown): string {
  return typeof of === 'string' || typeof of === 'number' ? String(of) : ''
}

function list(of: unknown): Tree[] {
  return Array.isArray(of) ? of.map(tree) : []
}

/** The containers of a live pod as they are; none of anything else. */
export function containerStates(live: unknown): ContainerState[] {
  const object = tree(live)
  if (object.kind !== 'Pod') return []
  const status = tree(object.status)
  return [
    ...list(status.initContainerStatuses).map((one) => stateOf(one, true)),
    ...list(status.containerStatuses).map((one) => stateOf(one, false)),
    ...list(status.ephemeralContainerStatuses).map((one) => stateOf(one, false)),
  ]
}

function stateOf(status: Tree, init: boolean): ContainerState {
  const state = tree(status.state)
  const { running, waiting, terminated } = {
    running: tree(state.running),
    waiting: tree(state.waiting),
    terminated: tree(state.terminated),
  }
  const out: ContainerState = {
    name: text(status.name),
    init,
    word: 'Unknown',
    tone: 'dim',
    message: '',
    restarts: Number(status.restartCount) || 0,
    since: undefined,
    before: ended(tree(tree(status.lastState).terminated)),
  }
  if (state.running) {
    const ready = status.ready === true || init
    return {
      ...out,
      word: ready ? 'Running' : 'Running, not ready',
      tone: ready ? 'good' : 'warn',
      since: text(running.startedAt) || undefined,
    }
  }
  if (state.waiting) {
    const reason = text(waiting.reason)
    const usual = ['', 'ContainerCreating', 'PodInitializing'].includes(reason)
    return { ...out, word: reason || 'Waiting', tone: usual ? 'busy' : 'bad', message: text(waiting.message) }
  }
  if (state.terminated) {
    const good = terminated.exitCode === 0
    return {
      ...out,
      word: ended(terminated),
      tone: good ? 'good' : 'bad',
      message: text(terminated.message),
      since: text(terminated.finishedAt) || undefined,
    }
  }
  return out
}

function ended(terminated: Tree): string {
  const reason = text(terminated.reason)
  const code = text(terminated.exitCode)
  if (code === '') return reason
  return code === '0' ? reason || 'Completed' : `${reason || 'Ended'} (exit code ${code})`
}

/** What a live object says of itself in its conditions. */
export function conditionsOf(live: unknown): Condition[] {
  return list(tree(tree(live).status).conditions).map((one) => ({
    type: text(one.type),
    status: text(one.status),
    reason: text(one.reason),
    message: text(one.message),
    since: text(one.lastTransitionTime) || text(one.lastUpdateTime) || undefined,
  }))
}

const badness = ['Degraded', 'Missing', 'Unknown', 'Suspended', 'Progressing', 'Healthy']

/** Objects that came of one, the worst first. */
export function cameOf<
  N extends { id: string; parents?: string[] | null; health?: { status?: string } | null; name: string },
>(id: string, nodes: readonly N[]): N[] {
  const place = (node: N) => {
    const at = badness.indexOf(node.health?.status ?? '')
    return at < 0 ? badness.length : at
  }
  return nodes
    .filter((node) => node.parents?.includes(id))
    .sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name))
}
