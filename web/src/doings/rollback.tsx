// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { type ApiError, type Application, errorOf } from '../api'
import { Button, CheckField, Cli, Dialog, Failure, Icon, Time, toast } from '../kit'
import { rollback } from './asks'
import { Compared } from './comparison'
import { automated } from './held'
import { type Deployment, rollbackCli } from './past'
import { shortOf } from './revision'
import { qualified, type Target } from './target'

/** Shows what going back would change and what follows from it, and goes back. */
export function RollbackDialog({
  target,
  app,
  to,
  newest,
  onClose,
}: {
  target: Target
  app: Application
  to: Deployment
  newest: Deployment
  onClose: () => void
}) {
  const [prune, setPrune] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const start = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await rollback(target, to.id, prune)
      toast(`${target.name} goes back to #${to.id}`)
      onClose()
    } catch (thrown) {
      setError(errorOf(thrown))
      setBusy(false)
    }
  }
  return (
    <Dialog
      title={`Roll back ${target.name} to #${to.id}`}
      width="wide"
      onClose={onClose}
      actions={
        <>
          <div class="grow sync-cli">
            <Cli command={rollbackCli(qualified(target), to.id, prune)} />
          </div>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="primary" icon="undo" busy={busy} onClick={start}>
            Roll back
          </Button>
        </>
      }
    >
      <div class="stack">
        {error && <Failure error={error} doing={`roll back ${target.name}`} />}
        <p>
          What was deployed <Time at={to.at} /> (
          <code>{to.sources.map((one) => shortOf(one.revision)).join(', ')}</code>) is rendered again from the commits
          it was made of, and applied. Hooks do not run.
        </p>
        {automated(app) && (
          <p class="plan-note">
            <Icon name="pause" />
            <span>
              Automated sync is on, so a hold goes with it: what is taken back is not applied again. It ends when the
              source renders to something else, or with <strong>Release</strong> on this page.
            </span>
          </p>
        )}
        <CheckField
          label="Prune"
          hint="Delete what was not there then. It cannot be undone."
          checked={prune}
          onChange={setPrune}
        />
        <h3>
          What changes, from #{newest.id} to #{to.id}
        </h3>
        <Compared target={target} from={newest.id} to={to.id} backwards={!prune} />
      </div>
    </Dialog>
  )
}
