-- Creates clusters of one container, each with a name of its own.
local thread_count = 0
function setup(thread)
  thread:set("number", thread_count)
  thread_count = thread_count + 1
end

local count = 0
function request()
  count = count + 1
  local body = string.format(
    '{"name":"c-%d-%d","instance_type":"container","cpu_per_instance":0.1,"memory_per_instance":0.125,"instance_count":1}',
    number, count)
  return wrk.format("POST", nil, nil, body)
end
