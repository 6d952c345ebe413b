// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { Button, IconButton } from '../kit'

export interface Cell {
  key: string
  label: string
  placeholder?: string
  /** Values to choose from while typing. */
  options?: string[]
  /** Nothing but these may be chosen. */
  choices?: string[]
}

/** Rows of short texts that are edited in place: destinations, kinds, policies. problem says what is wrong with a row, or with a field of it. */
export function RowsField<T extends object>({
  label,
  hint,
  cells,
  rows,
  make,
  add,
  onChange,
  problem,
}: {
  label: string
  hint?: ComponentChildren
  cells: Cell[]
  rows: T[]
  /** What a new row holds. */
  make: () => T
  /** The words on the button that adds a row. */
  add: string
  onChange: (rows: T[]) => void
  problem?: (row: number) => string | undefined
}) {
  const id = useId()
  const put = (at: number, key: string, value: string) =>
    onChange(rows.map((row, i) => (i === at ? { ...row, [key]: value } : row)))
  return (
    <fieldset class="settings-rows" aria-describedby={hint ? `${id}-hint` : undefined}>
      <legend class="field-label">{label}</legend>
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {rows.map((row, at) => {
        const wrong = problem?.(at)
        return (
          <div key={at}>
            <div class={wrong ? 'settings-fields field-wrong' : 'settings-fields'}>
              {cells.map((cell) => (
                <Input
                  key={cell.key}
                  cell={cell}
                  name={`${cell.label} ${at + 1}`}
                  value={String((row as Record<string, unknown>)[cell.key] ?? '')}
                  wrong={wrong ? `${id}-${at}` : undefined}
                  onInput={(value) => put(at, cell.key, value)}
                />
              ))}
              <IconButton
                label={`Take out ${at + 1} of ${label}`}
                icon="cross"
                onClick={() => onChange(rows.filter((_, i) => i !== at))}
              />
            </div>
            {wrong && (
              <p class="field-error" id={`${id}-${at}`} role="alert">
                {wrong}
              </p>
            )}
          </div>
        )
      })}
      <div>
        <Button small icon="plus" onClick={() => onChange([...rows, make()])}>
          {add}
        </Button>
      </div>
    </fieldset>
  )
}

function Input({
  cell,
  name,
  value,
  wrong,
  onInput,
}: {
  cell: Cell
  name: string
  value: string
  wrong: string | undefined
  onInput: (value: string) => void
}) {
  const list = useId()
  const common = { class: 'input', 'aria-label': name, 'aria-invalid': Boolean(wrong), 'aria-describedby': wrong }
  if (cell.choices) {
    return (
      <select {...common} value={value} onChange={(event) => onInput(event.currentTarget.value)}>
        {cell.choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    )
  }
  return (
    <>
      <input
        {...common}
        value={value}
        placeholder={cell.placeholder ?? cell.label}
        list={cell.options && list}
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {cell.options && (
        <datalist id={list}>
          {cell.options.map((option) => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
    </>
  )
}
