// SPDX-License-Identifier: Apache-2.0

import { useMemo, useRef } from 'preact/hooks'

/** A field for YAML, with the numbers of its lines. Tab leaves it, as it leaves every field; Enter keeps the indentation. */
export function Editor({
  text,
  onText,
  label,
  wrong,
}: {
  text: string
  onText: (text: string) => void
  label: string
  wrong: boolean
}) {
  const numbers = useRef<HTMLPreElement>(null)
  const count = useMemo(() => text.split('\n').length, [text])
  const all = useMemo(() => Array.from({ length: count }, (_, at) => at + 1).join('\n'), [count])
  return (
    <div class={wrong ? 'editor editor-wrong' : 'editor'}>
      <pre class="editor-numbers" ref={numbers} aria-hidden="true">
        {all}
      </pre>
      <textarea
        class="editor-text"
        aria-label={label}
        aria-invalid={wrong}
        value={text}
        spellcheck={false}
        autocomplete="off"
        wrap="off"
        onInput={(event) => onText(event.currentTarget.value)}
        onScroll={(event) => {
          if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.isComposing) return
          const field = event.currentTarget
          const before = field.value.slice(0, field.selectionStart)
          const indent = /^ */.exec(before.slice(before.lastIndexOf('\n') + 1))![0]
          if (indent === '') return
          event.preventDefault()
          field.setRangeText(`\n${indent}`, field.selectionStart, field.selectionEnd, 'end')
          onText(field.value)
        }}
      />
    </div>
  )
}
