// SPDX-License-Identifier: Apache-2.0

import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import type { Problem } from '../api'
import { CheckField, TextField } from '../kit'
import { listOf, listText } from './lists'
import { fieldName, same } from './saving'
import type { Manifest, Path } from './text'

/** What the fields of the form are about. */
export interface Form {
  manifest: Manifest
  set: (path: Path, value: unknown) => void
  change: (change: (manifest: Manifest) => Manifest) => void
  problems: Problem[]
  /** What the server says the sources are, in their order. */
  types: string[]
}

const Filled = createContext<Form | undefined>(undefined)
export const FormProvider = Filled.Provider

export function useForm(): Form {
  const form = useContext(Filled)
  if (!form) throw new Error('a field belongs into a form')
  return form
}

/** What is wrong with a field, for the one who fills it in; undefined if nothing is. */
export function problemAt(problems: Problem[], path: Path): string | undefined {
  const name = fieldName(path)
  const found = problems.filter((problem) => problem.field === name)
  return found.length === 0 ? undefined : found.map(sentence).join(' ')
}

const fields = [
  /^metadata\.(name|namespace|labels|annotations)$/,
  /^spec\.(project|info|revisionHistoryLimit)$/,
  /^spec\.(source|sources\[\d+\])\.(repoURL|targetRevision|path|chart)$/,
  /^spec\.destination\.namespace$/,
]

/** Whether a field that is always in the form shows a problem itself. */
export function covered(problem: Problem): boolean {
  return fields.some((pattern) => pattern.test(problem.field ?? ''))
}

/** A problem with what to do about it. */
export function sentence(problem: Problem): string {
  const text = problem.fix ? `${problem.message}: ${problem.fix}` : problem.message
  return text.charAt(0).toUpperCase() + text.slice(1)
}

interface FieldProps {
  path: Path
  label: string
  hint?: string | undefined
}

export function Text({
  path,
  label,
  hint,
  options,
  required,
  placeholder,
  disabled,
}: FieldProps & {
  options?: string[] | undefined
  required?: boolean
  placeholder?: string | undefined
  disabled?: boolean
}) {
  const { manifest, set, problems } = useForm()
  return (
    <TextField
      label={label}
      hint={hint}
      error={problemAt(problems, path)}
      required={required ?? false}
      value={manifest.word(path)}
      placeholder={placeholder ?? ''}
      disabled={disabled ?? false}
      spellcheck={false}
      autocomplete="off"
      {...(options && { options })}
      onInput={(value) => set(path, value === '' && !required ? undefined : value)}
    />
  )
}

export function Amount({ path, label, hint }: FieldProps) {
  const { manifest, set, problems } = useForm()
  return (
    <TextField
      label={label}
      hint={hint}
      type="number"
      error={problemAt(problems, path)}
      value={manifest.word(path)}
      onInput={(value) => set(path, value === '' ? undefined : Number(value))}
    />
  )
}

export function Check({ path, label, hint }: FieldProps) {
  const { manifest, set } = useForm()
  return (
    <CheckField
      label={label}
      hint={hint}
      checked={manifest.at(path) === true}
      onChange={(on) => set(path, on ? true : undefined)}
    />
  )
}

/**
 * Several values, one to a line. What is typed stays as it is typed, an unfinished line too, until somebody else changes the value.
 */
export function Lines({
  path,
  label,
  hint,
  rows = 2,
  read = listOf,
  print = listText,
  placeholder,
}: FieldProps & {
  rows?: number
  placeholder?: string
  read?: (text: string, before: unknown) => unknown
  print?: (value: unknown) => string
}) {
  const { manifest, set, problems } = useForm()
  const value = manifest.at(path)
  const [typed, setTyped] = useState(() => print(value))
  useEffect(() => {
    if (!same(read(typed, value), value)) setTyped(print(value))
  }, [JSON.stringify(value)])
  return (
    <TextField
      label={label}
      hint={hint}
      error={problemAt(problems, path)}
      rows={Math.max(rows, Math.min(12, typed.split('\n').length))}
      value={typed}
      placeholder={placeholder ?? ''}
      spellcheck={false}
      onInput={(text) => {
        setTyped(text)
        set(path, read(text, value))
      }}
    />
  )
}
