// SPDX-License-Identifier: Apache-2.0

import { batch, type Signal, signal } from '@preact/signals'
import type { Application, ApplicationView, Node, Row, Standing } from '../api'

export type Host = NonNullable<ApplicationView['hosts']>[number]

/**
 * What is known of one application: it, its row, and each of its objects in a signal of its own, so that a change of one object
 * repaints what shows that object and nothing else.
 */
export class Live {
  readonly application = signal<Application | undefined>(undefined)
  readonly row = signal<Row | undefined>(undefined)
  readonly hosts = signal<Host[]>([])
  /** How the stream is doing. */
  readonly standing = signal<Standing>({ is: 'connecting' })
  readonly deleted = signal(false)

  /** Why the objects are not known at the moment, and since when; what is shown of them is old then. */
  readonly unknown = signal<{ why: string; since: number } | undefined>(undefined)
  /** Whether the objects were known once: an application without any is not one whose objects have not come yet. */
  readonly met = signal(false)

  readonly nodes = new Map<string, Signal<Node>>()
  /** The IDs of the objects, anew whenever one came, went, or hangs elsewhere. */
  readonly order = signal<string[]>([])
  /** Counts up when an object's health, sync or marks changed: what filters, counts or folds by them looks again. */
  readonly mood = signal(0)

  /**
   * Follows mood some moments later, when there is time: for what looks at all objects. What changed is on the screen before that,
   * since it follows its own object.
   */
  readonly settled = signal(0)
  private list: Node[] | undefined

  /** The object of an ID as it is now. The caller is told of its changes if it reads this where signals are followed. */
  node(id: string): Node | undefined {
    return this.nodes.get(id)?.value
  }

  /** All objects as they are now, without following each of them. */
  all(): Node[] {
    const order = this.order.value
    this.list ??= order.flatMap((id) => this.nodes.get(id)?.peek() ?? [])
    return this.list
  }

  /** Takes over messages of the stream, in their order, as one change. */
  take(views: ApplicationView[], now: number) {
    batch(() => {
      for (const view of views) this.takeOne(view, now)
    })
  }

  private takeOne(view: ApplicationView, now: number) {
    if (view.application) this.application.value = view.application
    if (view.row) this.row.value = view.row
    if (view.hosts ?? view.whole) this.hosts.value = view.hosts ?? []
    if (view.unknown) this.unknown.value = { why: view.unknown, since: this.unknown.peek()?.since ?? now }
    else if (view.known || view.whole) this.unknown.value = undefined
    this.takeNodes(view)
    if (view.deleted) this.deleted.value = true
  }

  private takeNodes(view: ApplicationView) {
    const came = view.nodes ?? []
    this.list = undefined
    let moved = false
    let moody = false
    // What cannot be read does not take away what is shown: it is old, and said to be.
    if (view.whole && !(view.unknown && came.length === 0)) {
      const all = new Set(came.map((node) => node.id))
      for (const id of this.nodes.keys()) if (!all.has(id)) moved = this.nodes.delete(id) || moved
      if (!this.met.peek()) moved = this.met.value = true
    }
    for (const id of view.gone ?? []) moved = this.nodes.delete(id) || moved
    for (const node of came) {
      const known = this.nodes.get(node.id)
      if (!known) {
        this.nodes.set(node.id, signal(node))
        moved = true
        continue
      }
      const was = known.peek()
      known.value = node
      moved ||= placeOf(was) !== placeOf(node)
      moody ||= moodOf(was) !== moodOf(node)
    }
    if (moved) this.order.value = [...this.nodes.keys()]
    if (moody || moved) this.mood.value++
  }
}

/** Where an object hangs. */
function placeOf(node: Node): string {
  return (node.parents ?? []).join(' ')
}

/** What of an object folding, filters and counts go by. */
function moodOf(node: Node): string {
  return [
    node.health?.status,
    node.sync,
    node.prune,
    node.confirm,
    node.orphan,
    node.hook,
    node.managed,
    node.sharedWith,
    node.wave,
    Boolean(node.reason),
  ].join()
}
