/** Label of a container that is kept ready: the id of the snapshot it is a copy of. It is listed only when it is asked for. */
export const SPARE_LABEL = 'mayfly.spare';

/** Label, beside that one, of what is made ready to be the next process tree of a container: the container's id. */
export const SUCCESSOR_LABEL = 'mayfly.successor';
