-- @include group-state
-- @include group-identity
-- @include passes
--[[
  Makes the group unless it exists.

  ARGV
    1 epoch          for a log that is not there yet
    2 name           of the group
    3 topics         as JSON; '' of a caller that gives none
    4 ackDeadlineMs  5 maxDeliveries
    6 from           'latest', 'earliest' or 'position'
    7 newId          for a group without an id
    8 groupId        that the caller comes back to, or ''
    9 source         of the maker, or ''
   10 agent          that makes it, or '' of an operator
   11 owner          '' or the agent
   12 inNamespace   13 ofAgent: most groups, of the namespace and of an agent; 0 is no limit
   14 epoch         15 seq       16 nonce: the position; where one can not go on from it, the group begins as with 'earliest'
   17 secret         for a group without one

  Returns { created, state, epoch, seq, nonce }: whether the group was made now (1 or 0), its state as group-identity has it, and its
  cursor. 'deleted' when the group of groupId was deleted; 'absent' when there is no group and no topics are given; 'namespace' or
  'agent' when there are as many groups as may be.
]]
if wasDeleted(ARGV[8]) then
  return 'deleted'
end
local log = openLog(ARGV[1])
local group = readGroup()
if group then
  identify(group, ARGV[7])
  giveSecret(ARGV[17])
  return { 0, stateOf(), group.epoch, group.seq, group.nonce }
end
if ARGV[3] == '' then
  return 'absent'
end
local agent, inNamespace, ofAgent = ARGV[10], tonumber(ARGV[12]), tonumber(ARGV[13])
if inNamespace > 0 and redis.call('SCARD', GROUPS) >= inNamespace then
  return 'namespace'
end
if agent ~= '' then
  if ofAgent > 0 and tonumber(redis.call('HGET', MAKERS, agent) or 0) >= ofAgent then
    return 'agent'
  end
  redis.call('HINCRBY', MAKERS, agent, 1)
end
local seq, nonce = log.head, log.headNonce
if ARGV[6] == 'position' and not gapBehind(log, ARGV[14], tonumber(ARGV[15]), tonumber(ARGV[16])) then
  seq, nonce = tonumber(ARGV[15]), tonumber(ARGV[16])
elseif ARGV[6] ~= 'latest' then
  seq, nonce = resumeAfter(log, 0)
end
redis.call('HSET', GROUP, 'topics', ARGV[3], 'ackDeadlineMs', ARGV[4], 'maxDeliveries', ARGV[5],
  'epoch', log.epoch, 'seq', seq, 'nonce', nonce, 'deaths', 0,
  'id', ARGV[7], 'secret', ARGV[17], 'maker', agent, 'madeBy', ARGV[9], 'madeAt', string.format('%.0f', now))
redis.call('HSET', GROUP, 'began', string.format('%s %.0f %.0f', log.epoch, seq, nonce))
beginPasses(log.epoch, seq)
redis.call('SADD', GROUPS, ARGV[2])
if ARGV[11] ~= '' then
  redis.call('HSET', GROUP, 'owner', ARGV[11])
  redis.call('SADD', OWNED, ARGV[2])
end
return { 1, stateOf(), log.epoch, seq, nonce }
