// SPDX-License-Identifier: Apache-2.0

import { Fields } from '../doings/fields'
import { Button, Icon } from '../kit'
import { fieldName, type Meanwhile } from './saving'

/** Says what somebody else changed while this was edited, and offers to go on from there. */
export function ChangedMeanwhile({ meanwhile, onTake }: { meanwhile: Meanwhile; onTake: () => void }) {
  return (
    <section class="edit-conflict stack" aria-label="Changed meanwhile" role="alert">
      <p>
        <Icon name="warning" /> <strong>Somebody else changed this application while you edited it.</strong> Nothing of
        yours was saved yet.
      </p>
      <Fields
        before="When you began"
        after="Now"
        differences={meanwhile.theirs.map((one) => ({
          path: fieldName(one.path),
          live: one.before === undefined ? '' : JSON.stringify(one.before),
          desired: one.after === undefined ? '' : JSON.stringify(one.after),
        }))}
      />
      {meanwhile.both.length > 0 && (
        <p>
          You changed {meanwhile.both.map((one) => fieldName(one.path)).join(', ')} too: yours stays in the form, and
          replaces theirs if you save.
        </p>
      )}
      <div>
        <Button looks="primary" onClick={onTake}>
          Take over what they changed
        </Button>
      </div>
    </section>
  )
}
