#!lua flags=allow-oom
-- @include group-state
-- @include group-identity
--[[
  Removes a group with everything that it holds, and keeps its id as that of one that was deleted.

  ARGV
    1 name  of the group

  Returns its state, as group-identity has it; nil when there is no such group.
]]
local group = readGroup()
if not group then
  return false
end
local state = stateOf()
removeGroup(ARGV[1])
if group.id then
  redis.call('ZADD', DELETED, now, group.id)
  redis.call('ZREMRANGEBYRANK', DELETED, 0, -MAX_DELETED - 1)
end
return state
