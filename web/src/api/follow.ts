// SPDX-License-Identifier: Apache-2.0

import { signedOut } from '../session/signal'
import { address, send } from './call'
import { ApiError, errorOf } from './error'
import { lines } from './lines'

/** How a stream is doing. What was shown before stays, with the time since when it may be old. */
export type Standing =
  | { is: 'connecting' }
  | { is: 'live' }
  | { is: 'lost'; error: ApiError; since: number }
  | { is: 'refused'; error: ApiError }
  | { is: 'ended' }

export interface Following<T> {
  /** A stream of the API, such as /api/bowline/v1/stream/applications/{name}. */
  path: string
  request: { path?: unknown; query?: unknown }
  /** Called before the first element of each connection: what follows is told from its beginning. */
  begin?: () => void
  each: (element: T) => void
  standing: (now: Standing) => void
  /** Whether the end of the stream is the end of the matter, as with logs; else it is taken up again. */
  ends?: boolean
}

const firstPause = 500
const longestPause = 15_000

/** After this long in the background a stream is let go: browsers allow few connections, and other tabs need them. */
const patience = 20_000

/**
 * Follows a stream until the returned function is called. A connection that is lost is taken up again, with pauses that grow; one
 * that is refused is not, unless the refusal may pass.
 */
export function follow<T>(following: Following<T>): () => void {
  const follower = new Follower(following)
  follower.start()
  return () => follower.stop()
}

class Follower<T> {
  private readonly of: Following<T>
  private abort: AbortController | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private hiding: ReturnType<typeof setTimeout> | undefined
  private pause = firstPause
  private lostSince = 0
  private stopped = false

  constructor(of: Following<T>) {
    this.of = of
  }

  start() {
    document.addEventListener('visibilitychange', this.look)
    addEventListener('offline', this.cut)
    addEventListener('online', this.back)
    if (document.hidden) this.look()
    this.connect()
  }

  stop() {
    this.stopped = true
    document.removeEventListener('visibilitychange', this.look)
    removeEventListener('offline', this.cut)
    removeEventListener('online', this.back)
    clearTimeout(this.hiding)
    this.drop()
  }

  private drop() {
    clearTimeout(this.timer)
    this.abort?.abort()
    this.abort = undefined
  }

  private look = () => {
    clearTimeout(this.hiding)
    if (document.hidden) {
      this.hiding = setTimeout(() => this.drop(), patience)
    } else if (!this.abort && !this.stopped) {
      this.pause = firstPause
      this.connect()
    }
  }

  /** Without a network a connection stays open and says nothing: what is shown is not live from then on. */
  private cut = () => {
    if (!this.abort) return
    this.drop()
    this.failed(new ApiError(0, 'there is no network', { kind: 'retry' }))
  }

  private back = () => {
    if (this.lostSince === 0 || document.hidden) return
    this.pause = firstPause
    this.connect()
  }

  private async connect() {
    this.drop()
    const abort = new AbortController()
    this.abort = abort
    if (this.lostSince === 0) this.of.standing({ is: 'connecting' })
    try {
      const url = address(this.of.path, this.of.request)
      const answer = await send('get', url, undefined, abort.signal, 'application/x-ndjson')
      this.of.begin?.()
      if (answer.body) await this.read(answer.body, abort)
      if (abort.signal.aborted) return
      if (this.of.ends) {
        this.of.standing({ is: 'ended' })
        return
      }
      throw new ApiError(0, 'the server ended the stream', { kind: 'retry' })
    } catch (thrown) {
      if (!abort.signal.aborted) this.failed(errorOf(thrown))
    }
  }

  private async read(body: ReadableStream<Uint8Array>, abort: AbortController) {
    let told = false
    for await (const line of lines(body)) {
      if (abort.signal.aborted) return
      const element = JSON.parse(line) as { result?: T; error?: { message: string; http_code?: number } }
      if (element.error) throw new ApiError(element.error.http_code ?? 0, element.error.message)
      if (element.result === undefined) continue
      this.pause = firstPause
      this.lostSince = 0
      if (!told) this.of.standing({ is: 'live' })
      told = true
      this.of.each(element.result)
    }
  }

  private failed(error: ApiError) {
    this.abort = undefined
    if (!error.passing) {
      this.of.standing({ is: 'refused', error })
      if (error.status === 401) signedOut() // the session ended while the stream was open
      return
    }
    if (this.lostSince === 0) this.lostSince = Date.now()
    this.of.standing({ is: 'lost', error, since: this.lostSince })
    // All pages of a server that restarts must not come back in the same moment.
    this.timer = setTimeout(() => this.connect(), this.pause * (0.75 + Math.random() / 2))
    this.pause = Math.min(this.pause * 2, longestPause)
  }
}
