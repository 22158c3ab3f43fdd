#!/usr/bin/env bash
# CPU per proxied request of the gateway, HAProxy and nginx, in turn on the same core of the same machine:
#
#   bench/gateway/compare.sh [GATEWAY_SERVE]     (default build/bench/src/gateway/gateway_serve)
#
# The proxy runs on core 0, load (wrk) and backend on core 1. ROUNDS (3), SECONDS_EACH (4), SYSTEMS ("freehold haproxy nginx",
# also freehold-uring). A peer that is not installed is named as not measured. Prints the median CPU per request and its
# ratio to the best peer. Request rates move with whatever else the machine does; CPU per request moves far less, so that
# is what is compared. Exit 1 if a proxy did not start, or failed a request.
set -euo pipefail
cd "$(dirname "$0")/../.."
serve=${1:-build/bench/src/gateway/gateway_serve}
rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-4} systems=${SYSTEMS:-freehold haproxy nginx}
work=$(mktemp -d) hertz=$(getconf CLK_TCK) pids=() failed=0
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$work"' EXIT
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

if ! command -v wrk >/dev/null; then echo "not measured: the gateway beside its peers: wrk is not installed"; exit 0; fi
if (($(nproc) < 2)); then echo "not measured: the gateway beside its peers: that takes two cores"; exit 0; fi
measured=()
for system in $systems; do
  case $system in
    haproxy | nginx)
      if ! command -v "$system" >/dev/null; then echo "not measured: $system: it is not installed"; continue; fi
      echo "$("$system" -v 2>&1 | head -n 1)" ;;
  esac
  measured+=("$system")
done
for taken in 9301 9302 9303 9304 9305; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$taken") 2>/dev/null; then echo "port $taken is taken: what answers there would be measured" >&2; exit 1; fi
done

cc -O2 -o "$work/backend" bench/gateway/backend.c
taskset -c 1 "$work/backend" 9301 & pids+=($!)
wait_port() { for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.05; done; echo "port $1 never opened" >&2; exit 1; }
wait_port 9301

cat >"$work/haproxy.cfg" <<CFG
global
    nbthread 1
    maxconn 9000
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    http-reuse always
frontend plain
    bind 127.0.0.1:9303 backlog 4096
    default_backend be
backend be
    server s1 127.0.0.1:9301 pool-max-conn -1
CFG
cat >"$work/nginx.conf" <<CFG
worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/nginx.err crit; worker_rlimit_nofile 20000;
events { worker_connections 9000; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
  upstream be { server 127.0.0.1:9301; keepalive 1024; keepalive_requests 100000000; }
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffer_size 16k; proxy_buffers 8 16k;
  server { listen 127.0.0.1:9304 backlog=4096; location / { proxy_pass http://be; } }
}
CFG

declare -A port pid
start() {
  case $1 in
    freehold) port[$1]=9302; taskset -c 0 "$serve" 9302 9301 & ;;
    freehold-uring) port[$1]=9305; FREEHOLD_IO=uring taskset -c 0 "$serve" 9305 9301 & ;;
    haproxy) port[$1]=9303; taskset -c 0 haproxy -db -f "$work/haproxy.cfg" & ;;
    nginx) port[$1]=9304; taskset -c 0 nginx -c "$work/nginx.conf" & ;;
  esac
  pid[$1]=$!; pids+=($!); wait_port "${port[$1]}"
}
for system in "${measured[@]}"; do start "$system"; done

tree() { echo "$1"; local child; for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$child"; done; }
ticks() { local sum=0 p t; for p in $(tree "$1"); do t=$(sed 's/.*) //' "/proc/$p/stat" | awk '{print $12+$13}'); sum=$((sum + t)); done; echo $sum; }

for _ in $(seq "$rounds"); do
  for size in 128 16k; do for connections in 64 512; do for system in "${measured[@]}"; do
    before=$(ticks "${pid[$system]}")
    taskset -c 1 wrk -t1 -c"$connections" -d"${seconds}s" "http://127.0.0.1:${port[$system]}/$size" >"$work/wrk"
    if grep -E 'Non-2xx|Socket errors' "$work/wrk"; then echo "$system failed requests of $size/$connections" >&2; failed=1; fi
    requests=$(awk '/requests in/{print $1}' "$work/wrk")
    if ((${requests:-0} == 0)); then echo "$system answered nothing of $size/$connections" >&2; exit 1; fi
    after=$(ticks "${pid[$system]}")
    awk -v s="$system" -v c="$size/$connections" -v t=$((after - before)) -v h="$hertz" -v n="$requests" -v d="$seconds" \
      'BEGIN{printf "%s %s %.2f %d\n", s, c, t/h*1e6/n, n/d}' | tee -a "$work/results" >&2
  done; done; done
done

echo
echo "CPU microseconds per request, median of $rounds (body/connections); ratio to the best peer"
awk '{v[$1,$2]=v[$1,$2] " " $3; s[$1]=1; c[$2]=1}
  function median(text, a, n, i, j, x) { n=split(text, a, " "); for(i=1;i<=n;i++) for(j=i+1;j<=n;j++) if(a[j]<a[i]){x=a[i];a[i]=a[j];a[j]=x}; return a[int((n+1)/2)] }
  END {
    printf "%-16s", "case"; for (x in s) printf "%16s", x; printf "%10s\n", "ratio"
    for (y in c) { best=0; own=0; printf "%-16s", y
      for (x in s) { m=median(v[x,y]); printf "%16.2f", m
        if (x ~ /^freehold/) { if (!own || m<own) own=m } else if (!best || m<best) best=m }
      if (best && own) printf "%10.2f", own/best; print "" }
  }' "$work/results"
exit $failed
