#!lua flags=allow-oom
-- @include group-state
-- @include group-identity
--[[
  Removes a group that holds nothing, and whose cursor is at the head of the log. Its id is not kept.

  ARGV
    1 name  of the group
    2 id    of the group
    3 epoch for a log that lost its events

  Returns whether it was removed (1 or 0).
]]
local group = openGroup()
if not group or group.id ~= ARGV[2] or group.paused then
  return 0
end
local log = findLog(ARGV[3])
local held = redis.call('ZCARD', DUE) + redis.call('ZCARD', WAITING) + redis.call('ZCARD', DEAD)
if held > 0 or group.epoch ~= log.epoch or group.seq ~= log.head then
  return 0
end
removeGroup(ARGV[1])
return 1
