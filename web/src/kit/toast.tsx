// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { type ApiError, errorOf } from '../api/error'
import { IconButton } from './button'
import { Icon } from './icon'

interface Toast {
  id: number
  text: string
  fix: string
  tone: 'good' | 'warn' | 'bad'
  undo?: (() => void) | undefined
}

const toasts = signal<Toast[]>([])
let last = 0

/** How long something stays that went well. What went wrong stays until it is closed. */
const stays = 6_000

/** Says that something was done, or could not be. undo offers a way back. */
export function toast(text: string, tone: Toast['tone'] = 'good', more: { fix?: string; undo?: () => void } = {}) {
  const id = ++last
  toasts.value = [...toasts.value.slice(-4), { id, text, tone, fix: more.fix ?? '', undo: more.undo }]
  if (tone === 'good') setTimeout(() => dismiss(id), stays)
}

/** Says that something failed. */
export function toastError(thrown: unknown, doing: string) {
  const error: ApiError = errorOf(thrown)
  toast(`Could not ${doing}: ${error.message}`, 'bad', { fix: error.fix })
}

function dismiss(id: number) {
  toasts.value = toasts.value.filter((t) => t.id !== id)
}

/** Where toasts show. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div key={t.id} class={`toast tone-${t.tone}`}>
          <Icon name={t.tone === 'good' ? 'check' : 'warning'} />
          <p class="grow">
            {t.text}
            {t.fix && <span class="toast-fix">{t.fix}</span>}
          </p>
          {t.undo && (
            <button
              type="button"
              class="button button-small"
              onClick={() => {
                dismiss(t.id)
                t.undo?.()
              }}
            >
              Undo
            </button>
          )}
          <IconButton small label="Dismiss" icon="cross" onClick={() => dismiss(t.id)} />
        </div>
      ))}
    </div>
  )
}
