import { MayflyError } from '../../support/error.ts';
import { openEngine } from '../engine.ts';
import { locateId } from '../locate.ts';
import { listTimelines, readTimeline, type Timeline } from './timeline.ts';

/**
 * Where the time of a container's last start went: one that is there, or that went not long ago, by its name or the beginning of its id.
 *
 * @throws MayflyError `container.not-found`, `container.ambiguous-id`, `container.no-timeline`
 */
export function getTimeline(idOrName: string): Timeline {
  const { home } = openEngine();
  const id = locateId(home, idOrName);
  const kept =
    id === undefined
      ? listTimelines(home).find(({ id: known, name }) => name === idOrName || known.startsWith(idOrName))
      : readTimeline(home, id);
  if (kept !== undefined) return kept;
  throw noTimeline(`no start of ${idOrName} is known`);
}

/** Of the latest start of any container of this home. @throws MayflyError `container.no-timeline` */
export function lastTimeline(): Timeline {
  const [last] = listTimelines(openEngine().home);
  if (last === undefined) throw noTimeline('no container has been started yet');
  return last;
}

function noTimeline(message: string): MayflyError {
  return new MayflyError('container.no-timeline', message, {
    hint: 'mayfly ps --all lists the containers that there are',
  });
}
