#!lua flags=allow-oom
-- @include group-state
--[[
  The members of a group.

  Returns for each consumer, held, lastSignAt, missed; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local answer = {}
local all = redis.call('HGETALL', SIGNS)
for at = 1, #all, 2 do
  local signAt, missed = string.match(all[at + 1], '^(%d+) (%d+)$')
  add(answer, all[at], heldBy(all[at]), tonumber(signAt), tonumber(missed))
end
return answer
