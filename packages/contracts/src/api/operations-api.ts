// The procedures with which people look at a swarm as a whole.
import { ClusterStatus, ClusterStatusInput, NamespacesInput, NamespacesResult } from '../cluster.ts';
import { LIMITS } from '../limits.ts';
import { Overview, OverviewInput } from '../overview.ts';
import { StatsSeries, StatsSeriesInput, Traffic, TrafficInput } from '../stats.ts';
import { query, subscription } from './procedure.ts';
import { OVERSEE, OVERSEE_ALL } from './rights.ts';

export const clusterApi = {
  status: query({
    input: ClusterStatusInput,
    output: ClusterStatus,
    summary: 'Describe the replicas of the core and its stores',
    rights: OVERSEE_ALL,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/cluster',
      operationId: 'clusterStatus',
      tag: 'operations',
      answers: { 200: 'The replicas and the stores.' },
    },
  }),
};

export const namespacesApi = {
  list: query({
    input: NamespacesInput,
    output: NamespacesResult,
    summary: 'List the namespaces with their agents, events and groups',
    description: 'A token of one namespace gets that one.',
    rights: OVERSEE_ALL,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/namespaces',
      operationId: 'listNamespaces',
      tag: 'operations',
      answers: { 200: 'A page of namespaces.' },
    },
  }),
};

export const statsApi = {
  series: query({
    input: StatsSeriesInput,
    output: StatsSeries,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'Read statistics of a namespace over time',
    description:
      'Counts of all replicas in steps of ten seconds or a multiple of it. A replica reports what it counted every five seconds.',
    rights: OVERSEE,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/stats',
      operationId: 'statsSeries',
      tag: 'operations',
      answers: { 200: 'The series.' },
    },
  }),

  traffic: query({
    input: TrafficInput,
    output: Traffic,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'Show which sources reach which groups and streams',
    description: 'Counts what was handed out to groups and to streams, over all replicas.',
    rights: OVERSEE,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/traffic',
      operationId: 'traffic',
      tag: 'operations',
      answers: { 200: 'The edges, the largest first.' },
    },
  }),
};

export const swarmApi = {
  overview: subscription({
    input: OverviewInput,
    output: Overview,
    summary: 'Follow the state of a namespace at a glance',
    description:
      'The first value has everything: groups, replicas and stores, the numbers of the namespace, and open questions. At most every two ' +
      'seconds a value with what changed follows. A value with `reset: true` has everything again.',
    rights: OVERSEE,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/overview/stream',
      operationId: 'followOverview',
      tag: 'operations',
      answers: { 200: 'The stream.' },
    },
  }),
};
