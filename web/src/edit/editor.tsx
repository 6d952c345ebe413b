// SPDX-License-Identifier: Apache-2.0

import './edit.css'
import type { Application, Problem } from '../api'
import { controlNamespace, qualified } from '../doings/target'
import { Button, Cli, Failure, Icon, Tabs } from '../kit'
import { useQuery } from '../route/query'
import { ChangedMeanwhile } from './changed'
import { covered, FormProvider, sentence } from './form'
import { Leaving } from './leaving'
import { Objects, type Previewed, Work } from './preview'
import { pathOf } from './saving'
import { Destination, General, Ignored, Info, Policy } from './sections'
import { Sources } from './sources'
import type { Manifest } from './text'
import { useEditor } from './useeditor'
import { YamlEditor } from './yaml'

/** The form and the manifest of an application side by side, in step; app is undefined for a new one. */
export function Editor({ app, may }: { app: Application | undefined; may: boolean }) {
  const e = useEditor(app, may)
  const what = app?.metadata?.name ?? 'the new application'
  return (
    <div class="edit">
      <Leaving draft={e.draft} unsaved={e.unsaved} what={what} onDrop={e.drop} />
      <div class="edit-bar">
        <Standing
          problems={e.problems}
          missing={e.missing}
          previewed={e.previewed}
          unsaved={e.unsaved}
          fresh={!app}
          broken={Boolean(e.manifest.wrong)}
        />
        {e.unsaved && app && (
          <Button icon="undo" onClick={e.drop}>
            Discard changes
          </Button>
        )}
        <Button
          looks="primary"
          icon="check"
          busy={e.busy}
          disabled={!may || Boolean(e.manifest.wrong) || !e.unsaved || e.taken}
          title={may ? undefined : 'You have no right "update" on this application'}
          onClick={() => void e.store()}
        >
          {app ? 'Save' : 'Create'}
        </Button>
      </div>
      {!may && (
        <p class="plan-note">
          <Icon name="lock" /> You may look at it, but not change it: ask for the right "update".
        </p>
      )}
      {e.taken && (
        <p class="plan-note">
          <Icon name="warning" /> There is an application of this name already: choose another name, or edit that one.
        </p>
      )}
      {e.refused && <Failure error={e.refused} doing={app ? `save ${what}` : 'create it'} />}
      {e.meanwhile && <ChangedMeanwhile meanwhile={e.meanwhile} onTake={e.take} />}
      <Problems problems={e.problems.filter((one) => !covered(one))} manifest={e.manifest} />
      <div class="edit-sides">
        <FormProvider value={e.form}>
          <form class="edit-form" aria-label="Application" onSubmit={(event) => event.preventDefault()}>
            <fieldset disabled={!may || Boolean(e.manifest.wrong)} class="edit-all">
              <General fresh={!app} />
              <Sources />
              <Destination />
              <Policy />
              <Ignored />
              <Info />
            </fieldset>
          </form>
        </FormProvider>
        <Side editor={e} may={may} app={app} />
      </div>
    </div>
  )
}

function Standing({
  problems,
  missing,
  previewed,
  unsaved,
  fresh,
  broken,
}: {
  problems: Problem[]
  missing: number
  previewed: Previewed
  unsaved: boolean
  fresh: boolean
  broken: boolean
}) {
  const text = broken
    ? 'The YAML cannot be read yet'
    : previewed.busy
      ? 'Checking …'
      : previewed.error
        ? `It could not be checked: ${previewed.error.message}`
        : problems.length > 0
          ? `${problems.length} ${problems.length === 1 ? 'thing is' : 'things are'} wrong`
          : missing > 0
            ? 'Fill in what is required'
            : unsaved || fresh
              ? 'Nothing is wrong with it'
              : 'Nothing was changed'
  const bad = broken || problems.length > 0 || Boolean(previewed.error)
  return (
    <p class={`grow row ${bad ? 'tone-bad edit-bad' : 'soft'}`} role="status">
      <Icon name={bad ? 'warning' : previewed.busy ? 'clock' : 'check'} />
      <span>{text}</span>
    </p>
  )
}

/** Problems that no field of the form is about, or that are about a field the form does not show. */
function Problems({ problems, manifest }: { problems: Problem[]; manifest: Manifest }) {
  if (problems.length === 0) return null
  return (
    <ul class="edit-problems">
      {problems.map((problem) => (
        <li key={`${problem.field} ${problem.message}`}>
          <Icon name="warning" size={14} />
          <span>
            {problem.field && (
              <>
                <code>{problem.field}</code> <span class="faint">line {manifest.line(pathOf(problem.field))}</span>:{' '}
              </>
            )}
            {sentence(problem)}
          </span>
        </li>
      ))}
    </ul>
  )
}

function Side({
  editor,
  may,
  app,
}: {
  editor: ReturnType<typeof useEditor>
  may: boolean
  app: Application | undefined
}) {
  const { query, set } = useQuery()
  const { manifest, previewed, problems } = editor
  const chosen = (may && query.get('side')) || 'yaml'
  const name = manifest.word(['metadata', 'name'])
  const namespace = manifest.word(['metadata', 'namespace']) || controlNamespace()
  const made = previewed.answer?.manifests?.length
  const marks = new Set(problems.flatMap((one) => (one.field ? [manifest.line(pathOf(one.field))] : [])))
  return (
    <div class="edit-side">
      <Tabs
        label="Manifest and preview"
        chosen={chosen}
        onChoose={(side) => set({ side: side === 'yaml' ? undefined : side })}
        tabs={[
          { id: 'yaml', label: 'YAML' },
          ...(may
            ? [
                { id: 'objects', label: 'Objects', extra: made !== undefined && <span class="faint">{made}</span> },
                { id: 'order', label: 'Order of the sync' },
              ]
            : []),
        ]}
      >
        {chosen === 'objects' ? (
          <Objects previewed={previewed} />
        ) : chosen === 'order' ? (
          <Work previewed={previewed} name={name} namespace={namespace} />
        ) : (
          <YamlEditor text={manifest.text} wrong={manifest.wrong} marks={marks} readOnly={!may} onInput={editor.type} />
        )}
      </Tabs>
      <Cli
        command={
          app
            ? ['app', 'edit', qualified({ namespace: app.metadata?.namespace ?? '', name: app.metadata?.name ?? '' })]
            : ['app', 'create', '-f', 'application.yaml']
        }
      />
    </div>
  )
}
