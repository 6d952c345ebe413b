// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { Button, CheckField, IconButton, SelectField } from '../kit'
import { Amount, Lines, Text, useForm } from './form'
import { mapOf, mapText, namedOf, namedText, optionOf, withOption } from './lists'
import { useClusters, useProjects } from './suggest'

export function Section({ title, children, open }: { title: string; children: ComponentChildren; open?: boolean }) {
  return (
    <details class="edit-section" open={open ?? true}>
      <summary>
        <h2>{title}</h2>
      </summary>
      <div class="edit-fields">{children}</div>
    </details>
  )
}

export function General({ fresh }: { fresh: boolean }) {
  const projects = useProjects()
  return (
    <Section title="General">
      <Text path={['metadata', 'name']} label="Name" required disabled={!fresh} />
      <Text path={['spec', 'project']} label="Project" required options={projects.names} hint={projects.problem} />
      <Lines
        path={['metadata', 'labels']}
        label="Labels"
        hint="One to a line: name=value"
        read={mapOf}
        print={mapText}
      />
      {fresh && (
        <Text
          path={['metadata', 'namespace']}
          label="Namespace of the Application"
          hint="Empty is the control namespace."
        />
      )}
      <Finalizer />
    </Section>
  )
}

const cascade = 'resources-finalizer.argocd.argoproj.io'

function Finalizer() {
  const { manifest, set } = useForm()
  const path = ['metadata', 'finalizers']
  const list = manifest.at(path)
  const all = Array.isArray(list) ? list.map(String) : []
  return (
    <CheckField
      label="Objects go with the Application"
      hint="When the Application is deleted in the cluster, its objects are deleted first."
      checked={all.some((one) => one.startsWith(cascade))}
      onChange={(on) => {
        const rest = all.filter((one) => !one.startsWith(cascade))
        const next = on ? [...rest, cascade] : rest
        set(path, next.length > 0 ? next : undefined)
      }}
    />
  )
}

export function Destination() {
  const { manifest, change } = useForm()
  const clusters = useClusters()
  const at = ['spec', 'destination']
  const by = manifest.at([...at, 'server']) === undefined ? 'name' : 'server'
  return (
    <Section title="Destination">
      <SelectField
        label="Cluster by"
        value={by}
        options={[
          { value: 'name', label: 'Name' },
          { value: 'server', label: 'Address' },
        ]}
        onChange={(next) =>
          change((m) => m.with([...at, next], m.word([...at, next]) || '').with([...at, by], undefined))
        }
      />
      <Text
        key={by}
        path={[...at, by]}
        label={by === 'name' ? 'Cluster' : 'Address of the cluster'}
        required
        options={by === 'name' ? clusters.names.names : clusters.servers}
        hint={clusters.names.problem}
      />
      <Text path={[...at, 'namespace']} label="Namespace" hint="Of objects that name none." />
    </Section>
  )
}

const options: { name: string; on: string; label: string; hint: string }[] = [
  { name: 'CreateNamespace', on: 'true', label: 'Create the namespace', hint: 'If it is missing.' },
  { name: 'PruneLast', on: 'true', label: 'Prune last', hint: 'Once all else is healthy.' },
  {
    name: 'ApplyOutOfSyncOnly',
    on: 'true',
    label: 'Only what is out of sync',
    hint: 'Leave alone what is as desired.',
  },
  { name: 'ServerSideApply', on: 'true', label: 'Server-side apply', hint: 'Said outright.' },
  {
    name: 'RespectIgnoreDifferences',
    on: 'true',
    label: 'Keep ignored fields',
    hint: 'They keep their live value in a sync.',
  },
  { name: 'Prune', on: 'confirm', label: 'Confirm prunes', hint: 'Deletions wait for a person.' },
  { name: 'Validate', on: 'false', label: 'Do not validate', hint: 'Unknown fields are dropped instead of refused.' },
  { name: 'Replace', on: 'true', label: 'Replace', hint: 'Put objects in place instead of applying them.' },
]

export function Policy() {
  const { manifest, set } = useForm()
  const automated = ['spec', 'syncPolicy', 'automated']
  const value = manifest.at(automated) as { enabled?: boolean } | undefined | null
  const on = value !== undefined && value !== null && value.enabled !== false
  const list = ['spec', 'syncPolicy', 'syncOptions']
  return (
    <Section title="Sync policy">
      <CheckField
        label="Automated sync"
        hint="What is in the source is applied by itself."
        checked={on}
        onChange={(next) =>
          next && value ? set([...automated, 'enabled'], undefined) : set(automated, next ? {} : undefined)
        }
      />
      {on && (
        <div class="edit-nested">
          <Flag path={[...automated, 'prune']} label="Prune" hint="Delete what is no longer in the source." />
          <Flag path={[...automated, 'selfHeal']} label="Self-heal" hint="Undo what is changed in the cluster." />
          <Flag
            path={[...automated, 'allowEmpty']}
            label="Allow empty"
            hint="Also delete everything, if the source is empty."
          />
        </div>
      )}
      <fieldset class="edit-options">
        <legend>Sync options</legend>
        {options.map((option) => (
          <CheckField
            key={option.name}
            label={option.label}
            hint={option.hint}
            checked={optionOf(manifest.at(list), option.name) === option.on}
            onChange={(next) => set(list, withOption(manifest.at(list), option.name, next ? option.on : undefined))}
          />
        ))}
      </fieldset>
      <Lines
        path={['spec', 'syncPolicy', 'managedNamespaceMetadata', 'labels']}
        label="Labels of the created namespace"
        hint="One to a line: name=value"
        read={mapOf}
        print={mapText}
      />
      <Amount
        path={['spec', 'syncPolicy', 'retry', 'limit']}
        label="Tries after a failure"
        hint="-1 is without end; empty is 5 for automated syncs."
      />
      <Text path={['spec', 'syncPolicy', 'retry', 'backoff', 'duration']} label="First pause" placeholder="5s" />
      <Text path={['spec', 'syncPolicy', 'retry', 'backoff', 'maxDuration']} label="Longest pause" placeholder="3m" />
    </Section>
  )
}

function Flag({ path, label, hint }: { path: string[]; label: string; hint: string }) {
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

export function Ignored() {
  const { manifest, set } = useForm()
  const path = ['spec', 'ignoreDifferences']
  const list = manifest.at(path)
  const all = Array.isArray(list) ? list : []
  return (
    <Section title={`Differences that do not count${all.length > 0 ? ` (${all.length})` : ''}`} open={all.length > 0}>
      {all.map((_, at) => (
        <div class="edit-item" key={at}>
          <div class="edit-item-head">
            <h3>Rule {at + 1}</h3>
            <IconButton
              small
              label={`Remove rule ${at + 1}`}
              icon="trash"
              onClick={() => set(all.length > 1 ? [...path, at] : path, undefined)}
            />
          </div>
          <Text path={[...path, at, 'kind']} label="Kind" required />
          <Text path={[...path, at, 'group']} label="Group" placeholder="core" />
          <Text path={[...path, at, 'name']} label="Name" placeholder="all" />
          <Text path={[...path, at, 'namespace']} label="Namespace" placeholder="all" />
          <Lines path={[...path, at, 'jsonPointers']} label="JSON pointers" hint="One to a line: /spec/replicas" />
          <Lines path={[...path, at, 'jqPathExpressions']} label="jq paths" hint="One to a line." />
          <Lines
            path={[...path, at, 'managedFieldsManagers']}
            label="Field managers"
            hint="Whose fields do not count."
          />
        </div>
      ))}
      <Button icon="plus" onClick={() => set([...path, all.length], { kind: '' })}>
        Add a rule
      </Button>
    </Section>
  )
}

export function Info() {
  return (
    <Section title="Information and history" open={false}>
      <Lines
        path={['spec', 'info']}
        label="Information"
        hint="One to a line: name=value. Links are shown as links."
        read={namedOf}
        print={namedText}
      />
      <Amount path={['spec', 'revisionHistoryLimit']} label="Deployments that are remembered" hint="Empty is 10." />
      <Lines
        path={['metadata', 'annotations']}
        label="Annotations"
        hint="One to a line: name=value"
        read={mapOf}
        print={mapText}
      />
    </Section>
  )
}
