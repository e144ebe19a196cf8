/** Label of a container that is kept ready: the id of the snapshot it is a copy of. It is listed only when it is asked for. */
export const SPARE_LABEL = 'mayfly.spare';
