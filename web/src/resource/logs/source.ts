// SPDX-License-Identifier: Apache-2.0

import { type Signal, signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { follow, type Standing } from '../../api'
import type { AppName, Target } from '../target'
import { type Entry, LogBuffer } from './buffer'
import { type LogOptions, logQuery } from './options'

/** A log that is being read. */
export class Log {
  readonly buffer = new LogBuffer()
  /** Counts up when the buffer changed. */
  readonly turn = signal(0)
  readonly standing: Signal<Standing> = signal<Standing>({ is: 'connecting' })
  private waiting: Entry[] = []
  private frame = 0
  private known: (entry: Entry) => boolean = () => false

  /** Reads until the returned function is called. Lines are taken over once per frame. */
  read(app: AppName, target: Target, options: LogOptions): () => void {
    const log = this
    const stop = follow<Entry>({
      path: '/api/v1/applications/{name}/logs',
      // Looked at for each connection: one that is lost is taken up behind what came.
      get request() {
        return { path: { name: app.name }, query: log.queryNow(logQuery(app, target, options)) }
      },
      each: (entry) => this.take(entry),
      standing: (now) => {
        if (now.is === 'live' && this.standing.peek().is === 'live') return // told with every line
        this.flush()
        this.standing.value = now
      },
      ends: true,
    })
    return () => {
      cancelAnimationFrame(this.frame)
      stop()
    }
  }

  private queryNow(query: ReturnType<typeof logQuery>): object {
    this.flush()
    const since = this.buffer.newestTime()
    this.known = this.buffer.known()
    if (since === undefined) return query
    const { tailLines: _, sinceSeconds: __, ...rest } = query
    return { ...rest, sinceTime: since }
  }

  private take(entry: Entry) {
    if (this.known(entry)) return
    this.waiting.push(entry)
    // No frames are drawn of a page in the background.
    if (document.hidden) this.flush()
    else if (!this.frame) this.frame = requestAnimationFrame(() => this.flush())
  }

  private flush() {
    cancelAnimationFrame(this.frame)
    this.frame = 0
    if (this.waiting.length === 0) return
    this.buffer.push(this.waiting)
    this.waiting = []
    this.turn.value++
  }

  clear() {
    this.buffer.clear()
    this.turn.value++
  }
}

/** Reads the log that the options choose, anew when they choose another. */
export function useLog(app: AppName, target: Target, options: LogOptions, again: number): Log {
  const key = JSON.stringify([app, target, logQuery(app, target, options), again])
  const log = useMemo(() => new Log(), [key])
  useEffect(() => log.read(app, target, options), [log])
  return log
}
