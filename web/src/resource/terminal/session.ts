// SPDX-License-Identifier: Apache-2.0

import { type Signal, signal } from '@preact/signals'
import { ApiError, address, errorOf } from '../../api'
import { failureOf } from '../../api/error'

/** Where a terminal is opened. */
export interface Place {
  appName: string
  appNamespace: string
  projectName: string
  namespace: string
  pod: string
  container: string
  /** '' is the first of the shells that the settings allow and the container has. */
  shell: string
}

export type Ending =
  | { is: 'opening' }
  | { is: 'open' }
  | { is: 'ended'; why: string }
  | { is: 'refused'; error: ApiError }

/** How much is sent at once: the server takes 64 KiB, and a letter may take several bytes and more when it is quoted. */
const piece = 8_000

/** A terminal's connection to the server, from its opening to its end. */
export class Session {
  readonly state: Signal<Ending> = signal<Ending>({ is: 'opening' })
  private readonly socket: WebSocket
  private readonly url: URL
  private size: { cols: number; rows: number } | undefined

  constructor(place: Place, onOutput: (text: string) => void) {
    this.url = new URL(address('/terminal', { query: place }))
    const socketUrl = new URL(this.url)
    socketUrl.protocol = this.url.protocol === 'https:' ? 'wss:' : 'ws:'
    this.socket = new WebSocket(socketUrl)
    this.socket.onopen = () => {
      this.state.value = { is: 'open' }
      if (this.size) this.resize(this.size.cols, this.size.rows)
    }
    this.socket.onmessage = (event) => {
      const message = JSON.parse(String(event.data)) as { operation?: string; data?: string }
      if (message.operation === 'stdout') onOutput(message.data ?? '')
    }
    this.socket.onclose = (event) => void this.closed(event)
  }

  /** Sends what was typed. */
  type(text: string) {
    if (this.socket.readyState !== WebSocket.OPEN) return
    for (const part of partsOf(text)) this.socket.send(JSON.stringify({ operation: 'stdin', data: part }))
  }

  resize(cols: number, rows: number) {
    this.size = { cols, rows }
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ operation: 'resize', cols, rows }))
  }

  close() {
    this.socket.onclose = null
    this.socket.onmessage = null
    this.socket.close()
  }

  private async closed(event: CloseEvent) {
    if (this.state.value.is === 'open') {
      this.state.value = { is: 'ended', why: event.reason || 'the connection was lost' }
      return
    }
    this.state.value = { is: 'refused', error: await this.refusal() }
  }

  /** Browsers do not say why a WebSocket was refused: the same request without one is answered with it. */
  private async refusal(): Promise<ApiError> {
    try {
      const answer = await fetch(this.url, { credentials: 'same-origin', headers: { accept: 'application/json' } })
      if (answer.status === 426) {
        return new ApiError(0, 'the connection was refused on its way', {
          fix: 'have the proxy before Bowline let WebSockets through, and url of argocd-cm name the address of this page',
        })
      }
      return failureOf(answer.status, await answer.text())
    } catch (thrown) {
      return errorOf(thrown)
    }
  }
}

/** A text in parts that one message takes each; no letter is cut. */
export function partsOf(text: string, most = piece): string[] {
  const out: string[] = []
  for (let from = 0; from < text.length; ) {
    let end = Math.min(text.length, from + most)
    const code = text.charCodeAt(end - 1)
    if (end < text.length && code >= 0xd800 && code <= 0xdbff) end--
    out.push(text.slice(from, end))
    from = end
  }
  return out
}
