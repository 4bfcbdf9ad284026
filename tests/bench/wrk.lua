-- The requests that wrk sends, from environment variables, and its results in one line.

wrk.method = os.getenv('BENCH_METHOD') or 'GET'
local body = os.getenv('BENCH_BODY')
local viewers = {}
for token, id in (os.getenv('BENCH_VIEWERS') or ''):gmatch('(%S+):(%d+)') do
    viewers[#viewers + 1] = {token = 'Bearer ' .. token, id = id}
end
wrk.body = body

-- Every body is different, because the service does not write a value that is already stored.
if #viewers > 0 or (body and body:find('{n}', 1, true)) then
    local start, count, path = os.time(), 0, wrk.path
    request = function()
        count = count + 1
        if #viewers > 0 then
            local viewer = viewers[count % #viewers + 1]
            wrk.headers['Authorization'] = viewer.token
            path = wrk.path:gsub('VIEWER', viewer.id)
        end
        return wrk.format(nil, path, nil, body and body:gsub('{n}', start .. '-' .. count))
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format('BENCH %d %d %d %d %d\n', summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
