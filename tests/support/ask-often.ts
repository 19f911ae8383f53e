// How often a directory is asked where a test waits for what it says.
export const ASK_OFTEN = ['--directory-poll-interval=200ms', '--directory-sweep-interval=1s'];
