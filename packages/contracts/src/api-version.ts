// The version of the API, which clients and cores tell each other. Without zod, since browsers load it.

/**
 * The version of the API that this release speaks. A release in which an input takes a new field raises it: a core of an older version
 * then ignores that field, and lists it in `IGNORED_HEADER`, where it would refuse a mistyped one.
 */
export const API_VERSION = 3;

/** The header, and the field of `connectionParams`, in which a caller names the version of the API that it speaks. */
export const API_HEADER = 'swarm-api';

/** The header of an answer that lists what the core does not know and has ignored. */
export const IGNORED_HEADER = 'swarm-ignored';
