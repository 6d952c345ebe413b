// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../kit'
import type { Wrong } from './text'

/** The manifest as text. Lines with something wrong are marked. */
export function YamlEditor({
  text,
  onInput,
  wrong,
  marks,
  readOnly,
}: {
  text: string
  onInput: (text: string) => void
  wrong: Wrong | undefined
  /** Lines that problems are about. */
  marks: Set<number>
  readOnly: boolean
}) {
  const lines = text.split('\n').length
  const area = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    // Set by hand: a value that is the same must not move the cursor.
    if (area.current && area.current.value !== text) area.current.value = text
  }, [text])
  return (
    <div class="yaml">
      {wrong && (
        <p class="yaml-wrong" role="alert" id="yaml-wrong">
          <Icon name="warning" />
          <span>
            Line {wrong.line}: {wrong.message}. The form shows what was there before.
          </span>
        </p>
      )}
      <div class="yaml-frame">
        <div class="yaml-lines" aria-hidden="true">
          {Array.from({ length: lines }, (_, at) => {
            const line = at + 1
            return (
              <div
                key={line}
                class={wrong?.line === line || marks.has(line) ? 'yaml-line yaml-line-wrong' : 'yaml-line'}
              >
                {line}
              </div>
            )
          })}
        </div>
        <textarea
          ref={area}
          class="yaml-text"
          aria-label="Manifest as YAML"
          aria-invalid={Boolean(wrong)}
          aria-describedby={wrong ? 'yaml-wrong' : undefined}
          rows={lines + 1}
          defaultValue={text}
          readOnly={readOnly}
          spellcheck={false}
          autocomplete="off"
          wrap="off"
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </div>
    </div>
  )
}
