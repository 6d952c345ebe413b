// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { call } from '../api'
import { Button, CheckField, Cli, Dialog, Failure, TextField, toast } from '../kit'
import { type ClusterForm, changedFields, clusterOf, formOf, setCommand, wrongWith } from './clusterform'
import { linesOf } from './filter'
import { useDoing, useLoad } from './load'
import { at } from './place'
import { isServer } from './standing'
import { type Cluster, items } from './types'

/** Changes how a cluster is declared. Only the fields that were changed are written; its credentials stay as they are. */
export function ClusterEditor({
  cluster,
  onClose,
  onSaved,
}: {
  cluster: Cluster
  onClose: () => void
  onSaved: () => Promise<void>
}) {
  const { path, route } = useLocation()
  // What was there when the dialog opened: the page behind it goes on refreshing.
  const [was] = useState(cluster)
  const [form, setForm] = useState<ClusterForm>(() => formOf(was))
  const doing = useDoing()
  const projects = useLoad('projects', (signal) => call('get', '/api/v1/projects', {}, signal))
  const names = items(projects.data?.items).map((project) => project.metadata?.name ?? '')
  const wrong = wrongWith(form)
  const changed = changedFields(form, was)
  const put = (change: Partial<ClusterForm>) => setForm({ ...form, ...change })
  const valid = Object.keys(wrong).length === 0
  const command = valid ? setCommand(was.name ?? '', form, changed) : undefined
  const save = () =>
    doing.run(async () => {
      const server = was.server ?? ''
      await call('put', '/api/v1/clusters/{id.value}', {
        path: { 'id.value': server },
        query: { updatedFields: changed },
        body: { ...clusterOf(form), server },
      })
      toast(`Saved cluster ${form.name.trim()}`)
      onClose()
      const byName = !isServer(decodeURIComponent(path.split('/').at(-1) ?? ''))
      if (changed.includes('name') && byName) route(at('clusters', form.name.trim()), true)
      else await onSaved()
    })
  const error = (field: keyof ClusterForm) =>
    wrong[field] ?? (doing.error?.where === field ? doing.error.message : undefined)
  const elsewhere = doing.error && !(doing.error.where in form)
  return (
    <Dialog
      title={`Edit cluster ${was.name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            looks="primary"
            busy={doing.busy}
            disabled={changed.length === 0 || !valid}
            title={changed.length === 0 ? 'Nothing was changed' : undefined}
            onClick={() => void save()}
          >
            Save
          </Button>
        </>
      }
    >
      <div class="stack">
        <Fields form={form} projects={names} put={put} error={error} />
        {elsewhere && doing.error && <Failure error={doing.error} doing="save it" />}
        {command && <Cli command={command} />}
      </div>
    </Dialog>
  )
}

function Fields({
  form,
  projects,
  put,
  error,
}: {
  form: ClusterForm
  projects: string[]
  put: (change: Partial<ClusterForm>) => void
  error: (field: keyof ClusterForm) => string | undefined
}) {
  return (
    <>
      <TextField
        label="Name"
        required
        hint="Applications whose destination has the old name have to be changed, too."
        value={form.name}
        error={error('name')}
        spellcheck={false}
        onInput={(name) => put({ name })}
      />
      <TextField
        label="Project"
        hint="The only project that may use it; empty is all of them."
        options={projects}
        value={form.project}
        error={error('project')}
        spellcheck={false}
        onInput={(project) => put({ project })}
      />
      <TextField
        label="Namespaces"
        hint="One a line; empty is all of them. Only in these are objects looked at and written."
        rows={3}
        value={form.namespaces}
        error={error('namespaces')}
        spellcheck={false}
        onInput={(namespaces) => put({ namespaces })}
      />
      {linesOf(form.namespaces).length > 0 && (
        <CheckField
          label="Objects without a namespace are managed, too"
          checked={form.clusterResources}
          onChange={(clusterResources) => put({ clusterResources })}
        />
      )}
      <TextField
        label="Labels"
        hint="KEY=VALUE, one a line. Application sets choose clusters by them."
        rows={3}
        value={form.labels}
        error={error('labels')}
        spellcheck={false}
        onInput={(labels) => put({ labels })}
      />
      <TextField
        label="Annotations"
        hint="KEY=VALUE, one a line."
        rows={3}
        value={form.annotations}
        error={error('annotations')}
        spellcheck={false}
        onInput={(annotations) => put({ annotations })}
      />
    </>
  )
}
