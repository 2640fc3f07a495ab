-- @include group-state
--[[
  Moves deadlines of attempts that are in flight to later.

  ARGV
    1 byMs  from now
    2 …     for each delivery: member, life, attempt, uncounted

  Returns { extended, dueAt }: how many are in flight, and the first of their deadlines in ms (-1 when there are none); nil when
  there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local deadline = now + ARGV[1]
local first = -1
local open, records, deadlines = openAttempts(2)
for _, member in ipairs(open) do
  local dueAt = math.max(deadline, deadlines[member])
  showSign(records[member].consumer)
  add(changes.due, dueAt, member)
  first = first < 0 and dueAt or math.min(first, dueAt)
end
writeChanges()
return { #open, first }
