// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren, InputHTMLAttributes, TextareaHTMLAttributes } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  label: string
  /** What to put in, in a line. */
  hint?: ComponentChildren
  error?: string | undefined
  required?: boolean
}

/** A label with what belongs to it: the hint and the error are read out with the field. */
function Field({
  label,
  hint,
  error,
  required,
  id,
  children,
}: FieldProps & { id: string; children: ComponentChildren }) {
  return (
    <div class={error ? 'field field-wrong' : 'field'}>
      <label for={id}>
        {label}
        {required && <span class="faint"> (required)</span>}
      </label>
      {children}
      {hint && !error && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-hint`} role="alert">
          {error}
        </p>
      )}
    </div>
  )
}

interface TextFieldProps extends FieldProps {
  value: string
  onInput: (value: string) => void
  type?: 'text' | 'password' | 'number' | 'search' | 'url' | 'datetime-local'
  placeholder?: string
  autoFocus?: boolean
  autocomplete?: string
  spellcheck?: boolean
  disabled?: boolean
  name?: string
  /** Values to choose from while typing. */
  options?: string[]
  /** A field of several lines. */
  rows?: number
}

export function TextField({
  label,
  hint,
  error,
  required,
  value,
  onInput,
  options,
  rows,
  autoFocus,
  type = 'text',
  ...rest
}: TextFieldProps) {
  const id = useId()
  const common = {
    ...rest,
    id,
    value,
    required: required ?? false,
    'aria-invalid': Boolean(error),
    'aria-describedby': hint || error ? `${id}-hint` : undefined,
    ref: (element: HTMLElement | null) => {
      if (autoFocus && element && !element.dataset.met) {
        element.dataset.met = 'yes'
        element.focus()
      }
    },
  }
  return (
    <Field label={label} hint={hint} error={error} required={required ?? false} id={id}>
      {rows ? (
        <textarea
          {...(common as TextareaHTMLAttributes<HTMLTextAreaElement>)}
          rows={rows}
          class="input"
          onInput={(e) => onInput(e.currentTarget.value)}
        />
      ) : (
        <input
          {...({ ...common, type, list: options && `${id}-list` } as InputHTMLAttributes<HTMLInputElement>)}
          class="input"
          onInput={(e) => onInput(e.currentTarget.value)}
        />
      )}
      {options && (
        <datalist id={`${id}-list`}>
          {options.map((o) => (
            <option key={o} value={o} />
          ))}
        </datalist>
      )}
    </Field>
  )
}

interface SelectFieldProps extends FieldProps {
  value: string
  onChange: (value: string) => void
  options: { value: string; label?: string }[]
  disabled?: boolean
}

export function SelectField({ label, hint, error, required, value, onChange, options, disabled }: SelectFieldProps) {
  const id = useId()
  return (
    <Field label={label} hint={hint} error={error} required={required ?? false} id={id}>
      <select
        id={id}
        class="input"
        value={value}
        disabled={disabled ?? false}
        aria-invalid={Boolean(error)}
        aria-describedby={hint || error ? `${id}-hint` : undefined}
        onChange={(e) => onChange(e.currentTarget.value)}
      >
        {options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label ?? o.value}
          </option>
        ))}
      </select>
    </Field>
  )
}

interface CheckFieldProps {
  label: ComponentChildren
  hint?: ComponentChildren
  checked: boolean
  onChange: (checked: boolean) => void
  disabled?: boolean
}

export function CheckField({ label, hint, checked, onChange, disabled }: CheckFieldProps) {
  const id = useId()
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled ?? false}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(e) => onChange(e.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <p class="field-hint" id={`${id}-hint`}>
            {hint}
          </p>
        )}
      </div>
    </div>
  )
}
