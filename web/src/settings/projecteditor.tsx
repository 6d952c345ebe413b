// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { call, errorOf } from '../api'
import { Button, Cli, Failure, TextField, toast } from '../kit'
import { useDoing } from './load'
import { Head, Section } from './parts'
import { at } from './place'
import { ProjectFields } from './projectfields'
import { isConflict, merged, projectCommands, same, withSpec } from './projectform'
import type { Project, ProjectSpec } from './types'

/** Writes a project as it was read: it is refused if somebody wrote it since. */
async function saveProject(project: Project): Promise<Project> {
  const name = project.metadata?.name ?? ''
  return (await call('put', '/api/v1/projects/{name}', { path: { name }, body: { project } } as never)) as Project
}

/** Changes some rules of a project. What somebody else wrote meanwhile stays, unless it is the same rules: then it is refused. */
export async function changeProject(project: Project, change: Partial<ProjectSpec>): Promise<Project> {
  const draft = withSpec(project, change)
  try {
    return await saveProject(draft)
  } catch (thrown) {
    if (!isConflict(errorOf(thrown))) throw thrown
    const name = project.metadata?.name ?? ''
    const theirs = (await call('get', '/api/v1/projects/{name}', { path: { name } })) as Project
    const next = merged(project, draft, theirs)
    if (next.both.length > 0) throw thrown
    return await saveProject(next.project)
  }
}

/** The rules of a project as a form with the YAML beside it, in step. */
export function ProjectEditor({ project, onDone }: { project: Project; onDone: (saved: boolean) => void }) {
  const [base, setBase] = useState(project)
  const [draft, setDraft] = useState(project)
  const [both, setBoth] = useState<string[]>([])
  const doing = useDoing()
  const name = project.metadata?.name ?? ''
  const commands = projectCommands(base, draft)
  const changed = !same(base.spec, draft.spec)
  useEffect(() => {
    if (!changed) return
    const stay = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', stay)
    return () => removeEventListener('beforeunload', stay)
  }, [changed])
  const save = () =>
    doing.run(async () => {
      await saveProject(draft)
      toast(`Saved project ${name}`)
      onDone(true)
    })
  const takeOver = () =>
    doing.run(async () => {
      const theirs = (await call('get', '/api/v1/projects/{name}', { path: { name } })) as Project
      const next = merged(base, draft, theirs)
      setBase(theirs)
      setDraft(next.project)
      setBoth(next.both)
    })
  return (
    <>
      <Head title={`Edit ${name}`} up={{ to: at('projects', name), label: name }} />
      <div class="settings-editor">
        <ProjectFields project={draft} error={doing.error} onChange={setDraft} />
        <Yaml project={draft} onChange={setDraft} />
      </div>
      <div class="settings-save">
        <div class="grow stack">
          {doing.error && <Failure error={doing.error} doing="save it" />}
          {isConflict(doing.error) && (
            <Button onClick={() => void takeOver()}>Read it again and keep my changes on top</Button>
          )}
          {both.length > 0 && (
            <p class="field-error" role="alert">
              Somebody else changed these too, and yours count if you save: {both.join(', ')}
            </p>
          )}
          {commands.map((command) => (
            <Cli key={command.join(' ')} command={command} />
          ))}
        </div>
        <Button onClick={() => onDone(false)}>Cancel</Button>
        <Button looks="primary" busy={doing.busy} disabled={!changed} onClick={() => void save()}>
          Save
        </Button>
      </div>
    </>
  )
}

/** The rules as YAML. What cannot be read stays in the field, and the form as it was. */
export function Yaml({ project, onChange }: { project: Project; onChange: (project: Project) => void }) {
  const [text, setText] = useState('')
  const [problem, setProblem] = useState('')
  const [typed, setTyped] = useState<unknown>(undefined)
  useEffect(() => {
    if (typed !== undefined && same(typed, project.spec)) return // it is what was typed here: its form is the writer's
    let gone = false
    void import('yaml').then(({ stringify }) => {
      if (!gone) setText(stringify(project.spec ?? {}))
      if (!gone) setProblem('')
    })
    return () => {
      gone = true
    }
  }, [project.spec, typed])
  const read = async (now: string) => {
    setText(now)
    const { parse } = await import('yaml')
    try {
      const spec = parse(now) as unknown
      if (typeof spec !== 'object' || spec === null || Array.isArray(spec))
        throw new Error('write fields, such as description')
      setProblem('')
      setTyped(spec)
      onChange({ ...project, spec })
    } catch (thrown) {
      setProblem((thrown as Error).message)
    }
  }
  return (
    <div class="settings-yaml">
      <Section title="The same as YAML">
        <TextField
          label="spec"
          rows={24}
          value={text}
          error={problem || undefined}
          spellcheck={false}
          onInput={(now) => void read(now)}
        />
      </Section>
    </div>
  )
}
