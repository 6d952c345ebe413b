// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { IconButton } from './button'
import { toast } from './toast'

/** Copies a text; what is the name of what is copied, for the label. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setDone(true)
      setTimeout(() => setDone(false), 1500)
    } catch {
      toast('The browser does not let the page copy: mark the text and copy it.', 'warn')
    }
  }
  return <IconButton small label={done ? 'Copied' : `Copy ${what}`} icon={done ? 'check' : 'copy'} onClick={copy} />
}

/** What to type on the command line for what a view or a dialog does. Words with blanks or signs of the shell are quoted. */
export function Cli({ command }: { command: string[] }) {
  const text = ['bowline', ...command].map(quoted).join(' ')
  return (
    <div class="cli">
      <code class="cli-text">{text}</code>
      <Copy text={text} what="command" />
    </div>
  )
}

/** A word as a POSIX shell reads it back. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
