// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Button, IconButton } from './button'
import { TextField } from './field'

interface DialogProps {
  title: string
  onClose: () => void
  children: ComponentChildren
  /** Buttons, the one that does it last. */
  actions?: ComponentChildren
  width?: 'narrow' | 'wide' | 'full'
}

/** A dialog over the page. Escape and the veil close it; focus stays in it and goes back to where it was. */
export function Dialog({ title, onClose, children, actions, width = 'narrow' }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useLayoutEffect(() => {
    const opener = document.activeElement
    dialog.current?.showModal()
    // A dialog takes the focus to its first button when it opens, which is the one that closes it: to a field that asked for it
    // instead, else to the dialog, so that a key pressed too often closes nothing.
    const met = dialog.current?.querySelector<HTMLElement>('[data-met]')
    ;(met ?? dialog.current)?.focus()
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      tabIndex={-1}
      class={`dialog dialog-${width}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose()
      }}
    >
      <div class="dialog-frame">
        <header class="dialog-head">
          <h2 id={heading} class="grow">
            {title}
          </h2>
          <IconButton label="Close" icon="cross" onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions && <footer class="dialog-foot">{actions}</footer>}
      </div>
    </dialog>
  )
}

interface ConfirmProps {
  title: string
  /** What has to be typed. */
  name: string
  /** The word on the button, such as Delete. */
  verb: string
  busy?: boolean
  onConfirm: () => void
  onClose: () => void
  /** What will happen, in plain words. */
  children: ComponentChildren
}

/** Asks for the name of what is about to be done away with. */
export function ConfirmByName({ title, name, verb, busy, onConfirm, onClose, children }: ConfirmProps) {
  const [typed, setTyped] = useState('')
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="danger" busy={busy ?? false} disabled={typed !== name} onClick={onConfirm}>
            {verb}
          </Button>
        </>
      }
    >
      <div class="stack">
        {children}
        <TextField label={`Type ${name} to confirm`} value={typed} onInput={setTyped} autoFocus spellcheck={false} />
      </div>
    </Dialog>
  )
}
