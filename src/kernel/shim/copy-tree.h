#pragma once

/* Copies everything below the directory `from` into the directory `to`, which is empty: content, holes, owners, modes, times,
 * extended attributes, hard links, nodes of every kind. No symbolic link is ever followed. Nobody may change the source meanwhile.
 *
 * Returns 0 when the content of every file is shared by copy-on-write, 1 when some had to be copied, or a negative errno. */
long copy_tree(int from, int to);
