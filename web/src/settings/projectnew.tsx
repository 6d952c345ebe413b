// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { call } from '../api'
import { Button, Cli, Failure, TextField, toast } from '../kit'
import { useDoing } from './load'
import { Head, Section } from './parts'
import { at } from './place'
import { Yaml } from './projecteditor'
import { ProjectFields } from './projectfields'
import { newProject } from './projectform'
import { items, type Project } from './types'

/** A new project. */
export function NewProjectPage() {
  const { route } = useLocation()
  const [project, setProject] = useState<Project>(newProject)
  const doing = useDoing()
  const name = project.metadata?.name ?? ''
  const create = () =>
    doing.run(async () => {
      await call('post', '/api/v1/projects', { body: { project } } as never)
      toast(`Created project ${name}`)
      route(at('projects', name))
    })
  const command = ['proj', 'create', name || 'NAME']
  for (const source of items(project.spec?.sourceRepos)) command.push('--src', source)
  for (const d of items(project.spec?.destinations)) command.push('--dest', `${d.server ?? ''},${d.namespace ?? ''}`)
  return (
    <>
      <Head title="New project" up={{ to: at('projects'), label: 'Projects' }} />
      <div class="settings-editor">
        <div class="stack">
          <Section title="General">
            <TextField
              label="Name"
              required
              value={name}
              error={doing.error?.where.endsWith('metadata.name') ? doing.error.message : undefined}
              spellcheck={false}
              onInput={(now) => setProject({ ...project, metadata: { ...project.metadata, name: now.trim() } })}
            />
          </Section>
          <ProjectFields project={project} error={doing.error} onChange={setProject} />
        </div>
        <Yaml project={project} onChange={setProject} />
      </div>
      <div class="settings-save">
        <div class="grow stack">
          {doing.error && <Failure error={doing.error} doing="create it" />}
          <Cli command={command} />
        </div>
        <Button looks="primary" busy={doing.busy} disabled={name === ''} onClick={() => void create()}>
          Create
        </Button>
      </div>
    </>
  )
}
